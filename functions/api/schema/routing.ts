import * as z from "zod";
import { REFUSALS } from "../../../shared/services/views/routes.ts";
import { closed, packageParam } from "./common.ts";
import { packageRules } from "./registries.ts";

export const routesQuery = closed({ package: packageParam });

export const routesView = closed({
  package: z.string().meta({ description: "The name in its canonical form." }),
  routes: z.array(
    closed({
      registry: z.string().meta({ description: "Slug." }),
      kind: z.enum(["source", "proxy"]),
      upstream: z.string().optional().meta({ description: "Proxy: key of its upstream." }),
      asked: z.boolean(),
      refusal: z.enum(REFUSALS).optional().meta({ description: "Why it is not asked." }),
      reason: z.string().optional().meta({ description: "The same in words." }),
    }),
  ),
}).meta({ id: "Routes", description: "Who is asked for a package, in this order." });

const decision = closed({
  publish: z.enum(["allow", "block"]),
  internal: z.enum(["allow", "block"]).meta({ description: "Whether a source is asked." }),
  external: z.enum(["allow", "block"]).meta({ description: "Whether a proxy is asked." }),
}).meta({ id: "NameDecision" });

export const ruleReportInput = closed({ packageRules }).meta({
  id: "RuleReportInput",
  description: "The rules as they would be saved, in place of those that there are.",
});

export const ruleChange = closed({
  package: z.string(),
  before: decision,
  after: decision,
}).meta({ id: "RuleChange" });
