import type { Command } from "commander";
import * as z from "zod";
import { apiPath } from "../client/api-path.ts";
import { usageError } from "../client/failures.ts";
import { getRegistry } from "../client/files.ts";
import {
  type PackageRuleView,
  type RegistryView,
  registrySchema,
  routesSchema,
  ruleChangeSchema,
} from "../client/schemas.ts";
import { formatTable } from "../client/text.ts";
import { printList } from "./listing.ts";
import {
  collect,
  defined,
  openSession,
  parseOptions,
  wholeNumber,
  withCommonOptions,
  withExamples,
  withListOptions,
} from "./session.ts";

/** Flags of composites and proxies, and of rules. */
export const routingShape = {
  upstream: z.array(z.string()).optional(),
  official: z.boolean().optional(),
  publishTo: z.string().optional(),
  rule: z.array(z.string()).optional(),
  minimumAgeDays: wholeNumber(0, 3650).optional(),
  minimumAgeExempt: z.array(z.string()).optional(),
};

type RoutingFlags = z.infer<z.ZodObject<typeof routingShape>>;

/** An empty text takes out what there is: lists of flags cannot say "none" otherwise. */
export function withRouting(command: Command): Command {
  return withRules(
    command
      .option(
        "--upstream <slugs>",
        "composite: what it reads from, in order; may be repeated. proxy: key of its upstream",
        collect,
      )
      .option("--official", "composite: ask the ecosystem's official registry last")
      .option("--no-official", "composite: never ask it")
      .option(
        "--publish-to <slug>",
        "composite: upstream that takes what is published; '' for none",
      ),
  )
    .option("--minimum-age-days <days>", "composite, proxy: younger versions are not there")
    .option("--minimum-age-exempt <patterns>", "packages that may be younger", collect);
}

function withRules(command: Command): Command {
  return command.option(
    "--rule <rule>",
    "such as 'pattern,publish=block,external=block'; may be repeated, the first that matches decides; '' for none",
    (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
  );
}

/** The part of a body that the API wants; flags that were not given are left out, and so stay as they are. */
export function routingBody(flags: RoutingFlags, kind: string): Record<string, unknown> {
  const { upstream, official, publishTo, rule, minimumAgeDays, minimumAgeExempt } = flags;
  return {
    ...(upstream === undefined ? {} : upstreamField(upstream, kind)),
    ...defined({
      official,
      publishTo,
      packageRules: rule === undefined ? undefined : parseRules(rule),
      minimumAgeDays,
      minimumAgeExempt,
    }),
  };
}

function upstreamField(upstream: readonly string[], kind: string): Record<string, unknown> {
  if (kind !== "proxy") return { upstreams: upstream };
  const [key] = upstream;
  if (key === undefined || upstream.length > 1) {
    throw usageError("A proxy has one upstream.", "Several behind one name: --kind composite");
  }
  return { upstream: key };
}

const RULE_HINT = "Write it as 'pattern,publish=block,internal=allow,external=block'.";

function parseRules(rules: readonly string[]): readonly object[] {
  return rules.filter((rule) => rule.trim() !== "").map(parseRule);
}

function parseRule(text: string): object {
  const [pattern = "", ...words] = text.split(",").map((part) => part.trim());
  const said = words.map((word) => {
    const [, subject, answer] = /^(publish|internal|external)=(allow|block)$/.exec(word) ?? [];
    if (subject === undefined) throw usageError(`"${text}" is not a rule: "${word}".`, RULE_HINT);
    return [subject, answer] as const;
  });
  const isWhole =
    pattern !== "" && said.length > 0 && new Set(said.map(([it]) => it)).size === said.length;
  if (!isWhole) throw usageError(`"${text}" is not a rule.`, RULE_HINT);
  return { pattern, ...Object.fromEntries(said) };
}

const ruleText = ({ pattern, publish, internal, external }: PackageRuleView): string =>
  [
    pattern,
    ...Object.entries({ publish, internal, external })
      .filter(([, said]) => said !== undefined)
      .map(([subject, said]) => `${subject}=${said}`),
  ].join(",");

/** Lines of `registry show`; empty ones are left out there. */
export function describeRouting(registry: RegistryView): readonly (readonly [string, string])[] {
  const { kind, minimumAgeDays = 0 } = registry;
  const official = registry.officialRegistry ?? "";
  return [
    ["Upstream", registry.upstream ?? ""],
    ["Upstreams", (registry.upstreams ?? []).join(", ")],
    ["Official", official === "" ? (kind === "composite" ? "no" : "") : `yes, through ${official}`],
    ["Publishes to", registry.publishTo ?? (kind === "composite" ? "nothing" : "")],
    ["Rules", registry.packageRules.map(ruleText).join("; ")],
    ["Minimum age", minimumAgeDays === 0 ? "" : `${minimumAgeDays} days`],
    ["Younger", (registry.minimumAgeExempt ?? []).join(", ")],
  ];
}

/** `registry routes <slug> <package>`. */
export function addRoutes(group: Command): void {
  const routes = group
    .command("routes")
    .summary("show who is asked for a package")
    .description(
      "Shows which registries are asked for a package, in order, and why others are not.",
    )
    .argument("<slug>")
    .argument("<package>");
  withExamples(withCommonOptions(routes), ["registry routes team-npm @acme/core"]).action(
    async (slug: string, name: string, _options: unknown, command: Command) => {
      const session = openSession(command);
      const api = await session.connect();
      const path = apiPath`/registries/${slug}/routes`;
      const found = await api.send({ path, query: { package: name }, schema: routesSchema });
      session.output.result(found, () =>
        formatTable(
          ["REGISTRY", "KIND", "UPSTREAM", "ASKED", "WHY NOT"],
          found.routes.map((route) => [
            route.registry,
            route.kind,
            route.upstream ?? "",
            route.asked ? "yes" : "no",
            route.reason ?? "",
          ]),
        ),
      );
    },
  );
}

/** `registry rules <slug>`. */
export function addRules(group: Command): void {
  const rules = group
    .command("rules")
    .summary("show, try and replace the package rules of a registry")
    .description(
      "Without --rule: shows the rules. With it: replaces all of them or, with --dry-run, shows which packages would be treated in another way and saves nothing.",
    )
    .argument("<slug>")
    .option("--dry-run", "save nothing; show what would change");
  withExamples(withCommonOptions(withListOptions(withRules(rules))), [
    "registry rules team-npm",
    "registry rules team-npm --rule '@acme/*,external=block' --dry-run",
    "registry rules team-npm --rule '@acme/*,external=block' --rule '*,publish=block'",
  ]).action(async (slug: string, _options: unknown, command: Command) => {
    const flags = parseOptions(
      command,
      z.object({ rule: routingShape.rule, dryRun: z.boolean().default(false) }),
    );
    if (flags.dryRun) return tryRules(slug, flags.rule, command);
    const session = openSession(command);
    const api = await session.connect();
    const registry =
      flags.rule === undefined
        ? await getRegistry(api, slug)
        : await api.send({
            method: "PATCH",
            path: apiPath`/registries/${slug}`,
            body: { packageRules: parseRules(flags.rule) },
            schema: registrySchema,
          });
    session.output.result({ packageRules: registry.packageRules }, () =>
      registry.packageRules.length === 0
        ? `${slug} has no rules.`
        : registry.packageRules.map(ruleText).join("\n"),
    );
  });
}

async function tryRules(
  slug: string,
  rules: readonly string[] | undefined,
  command: Command,
): Promise<void> {
  if (rules === undefined) throw usageError("There is no rule to try.", RULE_HINT);
  const cell = (before: string, after: string): string =>
    before === after ? before : `${before} -> ${after}`;
  await printList(command, {
    method: "POST",
    path: apiPath`/registries/${slug}/rule-report`,
    body: { packageRules: parseRules(rules) },
    item: ruleChangeSchema,
    heads: ["PACKAGE", "PUBLISH", "INTERNAL", "EXTERNAL"],
    row: ({ package: name, before, after }) => [
      name,
      cell(before.publish, after.publish),
      cell(before.internal, after.internal),
      cell(before.external, after.external),
    ],
    none: "No package that is there now would be treated in another way.",
  });
}
