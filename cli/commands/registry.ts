import { type Command, Option } from "commander";
import * as z from "zod";
import { apiPath } from "../client/api-path.ts";
import { usageError } from "../client/failures.ts";
import { getRegistry } from "../client/files.ts";
import { ask, isInteractive } from "../client/prompt.ts";
import { objectSchema, registrySchema, type RegistryView } from "../client/schemas.ts";
import { formatBytes, formatFields, formatTime } from "../client/text.ts";
import { ECOSYSTEMS, REGISTRY_KINDS, VISIBILITIES } from "../../shared/domain/registry.ts";
import { printList } from "./listing.ts";
import { addPurge } from "./registry-purge.ts";
import {
  addRoutes,
  addRules,
  describeRouting,
  routingBody,
  routingShape,
  withRouting,
} from "./registry-routing.ts";
import {
  collect,
  defined,
  openSession,
  parseOptions,
  requireChanges,
  wholeNumber,
  withCommonOptions,
  withExamples,
  withListOptions,
} from "./session.ts";

/** `registry create|list|show|update|delete|purge|routes|rules`. */
export function addRegistryCommands(program: Command): void {
  const group = program
    .command("registry")
    .summary("create, list, change and delete registries")
    .description("Registries hold packages of one ecosystem, under a name of yours (its slug).");
  addCreate(group);
  addList(group);
  addShow(group);
  addUpdate(group);
  addDelete(group);
  addPurge(group);
  addRoutes(group);
  addRules(group);
}

/** Text as flags give it. */
const editsSchema = z.object({
  ...routingShape,
  visibility: z.enum(VISIBILITIES).optional(),
  description: z.string().optional(),
  emoji: z.string().optional(),
  colour: z.string().optional(),
  label: z.array(z.string()).optional(),
  mutableFiles: z.boolean().optional(),
  restoreDays: wholeNumber(0, 365).optional(),
  maxFileBytes: wholeNumber(1, 5 * 1024 ** 4).optional(),
  immutableTags: z.boolean().optional(),
  mutableTag: z.array(z.string()).optional(),
  snapshotBuilds: wholeNumber(0, 10_000).optional(),
  snapshotDays: wholeNumber(0, 3650).optional(),
});

function withEdits(command: Command): Command {
  return withRouting(command)
    .addOption(
      new Option("--visibility <visibility>", "who may read without a token").choices(VISIBILITIES),
    )
    .option("--description <text>", "what it is for")
    .option("--emoji <emoji>", "shown beside its name")
    .option("--colour <#rrggbb>", "colour in the web console")
    .option("--label <label>", "for grouping; may be repeated", collect)
    .option("--mutable-files", "let files of a version be replaced")
    .option("--no-mutable-files", "never let files of a version be replaced")
    .option("--restore-days <days>", "days in which deleted packages can be restored")
    .option("--max-file-bytes <bytes>", "largest file that may be published")
    .option("--immutable-tags", "never let a tag that exists move or go")
    .option("--no-immutable-tags", "let tags move")
    .option("--mutable-tag <pattern>", "tags that may move all the same; may be repeated", collect)
    .option("--snapshot-builds <count>", "builds of a Maven snapshot to keep; 0: all")
    .option("--snapshot-days <days>", "days to keep builds of a Maven snapshot; 0: for ever");
}

/** The body that the API wants; flags that were not given are left out, and so stay as they are. */
function editsBody(command: Command, kind: string): object {
  const flags = parseOptions(command, editsSchema);
  const {
    visibility,
    description,
    emoji,
    colour,
    label,
    mutableFiles,
    restoreDays,
    maxFileBytes,
    immutableTags,
    mutableTag,
    snapshotBuilds,
    snapshotDays,
  } = flags;
  const policies = defined({
    mutableFiles,
    restoreDays,
    maxFileBytes,
    immutableTags,
    mutableTags: mutableTag,
    snapshotBuilds,
    snapshotDays,
  });
  return {
    ...defined({ visibility, description, emoji, colour, labels: label }),
    ...routingBody(flags, kind),
    ...(Object.keys(policies).length === 0 ? {} : { policies }),
  };
}

const createSchema = z.object({
  ecosystem: z.string(),
  kind: z.string(),
  visibility: z.string().default("private"),
});

function addCreate(group: Command): void {
  const create = group
    .command("create")
    .summary("create a registry")
    .description("Creates a registry: 1 to 63 of a-z, 0-9, - and _ as its slug.")
    .argument("<slug>", "name in URLs")
    .addOption(
      new Option("--ecosystem <ecosystem>", "what it holds")
        .choices(ECOSYSTEMS)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--kind <kind>", "how it gets packages").choices(REGISTRY_KINDS).default("source"),
    );
  withExamples(withCommonOptions(withEdits(create)), [
    "registry create my-npm --ecosystem npm",
    'registry create builds --ecosystem generic --visibility public --description "Nightly builds"',
    "registry create npmjs --ecosystem npm --kind proxy --upstream npmjs --minimum-age-days 3",
    "registry create team --ecosystem npm --kind composite --upstream my-npm --official --publish-to my-npm",
  ]).action(async (slug: string, _options: unknown, command: Command) => {
    const session = openSession(command);
    const { ecosystem, kind, visibility } = parseOptions(command, createSchema);
    const body = { ...editsBody(command, kind), slug, ecosystem, kind, visibility };
    const api = await session.connect();
    const made = await api.send({
      method: "POST",
      path: "/registries",
      body,
      schema: registrySchema,
    });
    session.output.result(
      made,
      () =>
        `Created the ${made.visibility} ${made.ecosystem} ${made.kind === "source" ? "registry" : made.kind} ${made.slug}.\nConfigure a client: entrepot setup ${made.slug}`,
    );
  });
}

function addList(group: Command): void {
  const command = group
    .command("list")
    .alias("ls")
    .summary("list registries")
    .description("Lists the registries that you may know of.");
  withExamples(withCommonOptions(withListOptions(command)), [
    "registry list",
    "registry list --json | jq -r '.items[].slug'",
  ]).action(async (_options: unknown, self: Command) => {
    await printList(self, {
      path: "/registries",
      item: registrySchema,
      heads: ["SLUG", "ECOSYSTEM", "KIND", "VISIBILITY", "FROM", "DESCRIPTION"],
      row: (item) => [
        item.slug,
        item.ecosystem,
        item.kind,
        item.visibility,
        [item.upstream, ...(item.upstreams ?? []), item.officialRegistry]
          .filter((text) => text !== undefined)
          .join(","),
        [item.emoji, item.description].filter((text) => text !== "").join(" "),
      ],
      none: "There are no registries yet. Create one: entrepot registry create <slug> --ecosystem npm",
    });
  });
}

function addShow(group: Command): void {
  const show = group
    .command("show")
    .summary("show a registry")
    .description("Shows a registry and its policies.")
    .argument("<slug>");
  withExamples(withCommonOptions(show), ["registry show builds"]).action(
    async (slug: string, _options: unknown, command: Command) => {
      const session = openSession(command);
      const registry = await getRegistry(await session.connect(), slug);
      session.output.result(registry, () => describe(registry));
    },
  );
}

function describe(registry: RegistryView): string {
  const { policies } = registry;
  return formatFields([
    ["Slug", registry.slug],
    ["Ecosystem", registry.ecosystem],
    ["Kind", registry.kind],
    ["Visibility", registry.visibility],
    ["Description", [registry.emoji, registry.description].filter((text) => text !== "").join(" ")],
    ...describeRouting(registry),
    ["Labels", registry.labels.join(", ")],
    ["Mutable files", policies === undefined ? "" : policies.mutableFiles ? "yes" : "no"],
    ["Restore days", policies === undefined ? "" : String(policies.restoreDays)],
    ["Largest file", policies === undefined ? "" : formatBytes(policies.maxFileBytes)],
    ["Immutable tags", policies === undefined ? "" : describeTags(policies)],
    ["Created", formatTime(registry.createdAt)],
    ["Updated", formatTime(registry.updatedAt)],
  ]);
}

function describeTags(policies: NonNullable<RegistryView["policies"]>): string {
  const { immutableTags, mutableTags } = policies;
  if (!immutableTags) return "none";
  return mutableTags.length === 0 ? "all" : `all but ${mutableTags.join(", ")}`;
}

function addUpdate(group: Command): void {
  const update = group
    .command("update")
    .summary("change a registry")
    .description("Changes what is named by flags; everything else stays.")
    .argument("<slug>");
  withExamples(withCommonOptions(withEdits(update)), [
    "registry update my-npm --visibility public",
    "registry update builds --restore-days 30 --no-mutable-files",
    "registry update team --upstream my-npm,legacy-npm --rule '@acme/*,external=block'",
  ]).action(async (slug: string, _options: unknown, command: Command) => {
    const session = openSession(command);
    const body = editsBody(command, "composite");
    requireChanges(body, command);
    const api = await session.connect();
    const path = apiPath`/registries/${slug}`;
    const after = await api.send({ method: "PATCH", path, body, schema: registrySchema });
    session.output.result(after, () => describe(after));
  });
}

function addDelete(group: Command): void {
  const remove = group
    .command("delete")
    .summary("delete a registry with everything in it")
    .description("Deletes a registry and every package in it. Asks for its slug, typed by you.")
    .argument("<slug>")
    .option("--confirm <slug>", "the slug once more, where nobody can be asked");
  withExamples(withCommonOptions(remove), [
    "registry delete builds",
    "registry delete builds --confirm builds",
  ]).action(async (slug: string, _options: unknown, command: Command) => {
    const session = openSession(command);
    const { confirm } = parseOptions(command, z.object({ confirm: z.string().optional() }));
    if (confirm === undefined && !isInteractive()) {
      throw usageError(
        `This deletes ${slug} and every package in it.`,
        `Confirm: --confirm ${slug}`,
      );
    }
    const typed =
      confirm ??
      (await ask(`This deletes ${slug} and every package in it. Type its slug to go on: `));
    if (typed !== slug) throw usageError(`"${typed}" is not "${slug}"; nothing was deleted.`);
    const api = await session.connect();
    await api.send({
      method: "DELETE",
      path: apiPath`/registries/${slug}`,
      query: { confirm: typed },
      schema: objectSchema,
    });
    session.output.result({ deleted: slug }, () => `Deleted ${slug}.`);
  });
}
