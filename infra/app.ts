import { App, Tags, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import * as z from "zod";
import { loadConfig } from "./config/load.ts";
import { createStacks } from "./stacks/stacks.ts";

const app = new App();
// `-c config=<file>` chooses other options than entrepot.config.ts.
const file = z.string().optional().parse(app.node.tryGetContext("config"));
const config = await loadConfig(file);
createStacks(app, config);
Tags.of(app).add("entrepot", config.name);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
app.synth();
