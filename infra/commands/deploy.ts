import type { Config } from "../config/schema.ts";
import { Aws } from "./aws-call.ts";
import { makeFirstToken } from "./first-token.ts";
import { type CommandOptions, CommandError, runCommand } from "./options.ts";
import { run } from "./programs.ts";
import { readStackOutputs } from "./stack-outputs.ts";
import { giveTicketKeys } from "./ticket-keys.ts";

/** `npm run deploy`: bundles, stacks, the first admin token, and what to do next. */
async function deploy({ config, context, yes }: CommandOptions): Promise<void> {
  await run("node", ["infra/bundles/bundle.ts"]);
  const approval = ["--require-approval", yes ? "never" : "broadening"];
  await run("cdk", ["deploy", "--all", ...approval, ...context]);
  const aws = await Aws.open(config);
  const workers = await readStackOutputs(aws, `${config.name}-workers`);
  const functionName = workers.get("MaintenanceFunction");
  if (functionName === undefined) {
    throw new CommandError(`Stack ${config.name}-workers does not name its maintenance function.`);
  }
  if (config.edge !== undefined) await giveTicketKeys(aws, config, "missing");
  const token = await makeFirstToken(aws, functionName);
  process.stdout.write(nextSteps(await urlOf(aws, config), token));
}

/** Where clients reach the registry: CloudFront where it is deployed. */
async function urlOf(aws: Aws, config: Config): Promise<string> {
  const [stack, output] =
    config.edge === undefined
      ? ([`${config.name}-api`, "Url"] as const)
      : ([`${config.name}-edge`, "EdgeUrl"] as const);
  const url = (await readStackOutputs(aws, stack)).get(output);
  if (url === undefined) throw new CommandError(`Stack ${stack} does not say its URL.`);
  return url;
}

function nextSteps(url: string, token: string | undefined): string {
  const shown =
    token === undefined
      ? []
      : [
          `  Admin token   ${token}`,
          "                Shown this once and stored only as a hash: keep it.",
        ];
  return `${[
    "",
    `  Entrepot answers at ${url}`,
    "",
    ...shown,
    ...(token === undefined ? [] : [""]),
    "  Next",
    `    npm run entrepot -- login --url ${url}`,
    "    npm run entrepot -- registry create my-npm --ecosystem npm",
    "    npm run entrepot -- setup my-npm npm",
    "",
  ].join("\n")}\n`;
}

await runCommand(deploy);
