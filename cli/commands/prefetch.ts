import { type Command, Option } from "commander";
import * as z from "zod";
import { CliError, EXIT } from "../client/failures.ts";
import { getRegistry } from "../client/files.ts";
import { distinct } from "../client/lockfiles/locked.ts";
import { LOCKFILE_KINDS, readLockfile } from "../client/lockfiles/read-lockfile.ts";
import type { Output } from "../client/output.ts";
import { prefetchAll, type PrefetchOutcome, type PrefetchStatus } from "../client/prefetching.ts";
import { Progress } from "../client/progress.ts";
import { formatBytes, printable } from "../client/text.ts";
import { openSession, parseOptions, withCommonOptions, withExamples } from "./session.ts";

const MAX_SKIPPED_SHOWN = 5;

/** `prefetch <registry> <file…>`: has a proxy fetch what lockfiles name. */
export function addPrefetchCommand(program: Command): void {
  const prefetch = program
    .command("prefetch")
    .summary("have a proxy fetch what lockfiles name")
    .description(
      "Has a proxy, or those behind a composite, fetch everything that lockfiles name, and compares it with the sums in them. Known by name: package-lock.json, npm-shrinkwrap.json, pnpm-lock.yaml, yarn.lock; requirements.txt, uv.lock, poetry.lock; pom.xml, gradle.lockfile, and the output of mvn dependency:list as .txt; a list of images, one a line.",
    )
    .argument("<registry>")
    .argument("<file...>", "lockfiles of the registry's ecosystem")
    .addOption(new Option("--kind <kind>", "what the files are").choices(LOCKFILE_KINDS))
    .option("--no-progress", "show no progress");
  withExamples(withCommonOptions(prefetch), [
    "prefetch npmjs package-lock.json",
    "prefetch team-python requirements.txt uv.lock",
    "# what Maven resolves, with what that brings along:",
    "prefetch central dependencies.txt    # mvn dependency:list -DoutputFile=dependencies.txt",
    "prefetch docker-hub images.txt --kind images",
  ]).action(
    async (registry: string, files: readonly string[], _options: unknown, command: Command) =>
      runPrefetch(registry, files, command),
  );
}

const flagsSchema = z.object({
  kind: z.enum(LOCKFILE_KINDS).optional(),
  progress: z.boolean().default(true),
});

async function runPrefetch(
  slug: string,
  files: readonly string[],
  command: Command,
): Promise<void> {
  const session = openSession(command);
  const { output } = session;
  const { kind, progress: isShown } = parseOptions(command, flagsSchema);
  const api = await session.connect();
  const { ecosystem } = await getRegistry(api, slug);
  const lockfiles = await Promise.all(files.map((file) => readLockfile(file, ecosystem, kind)));
  const skipped = lockfiles.flatMap((lockfile) => lockfile.skipped);
  const packages = distinct(lockfiles.flatMap((lockfile) => lockfile.packages));
  noteSkipped(output, skipped);
  const progress = isShown
    ? new Progress(output.stderr, { label: slug, total: packages.length, unit: "items" })
    : undefined;
  const outcomes: PrefetchOutcome[] = [];
  try {
    for await (const outcome of prefetchAll(api, slug, packages)) {
      outcomes.push(outcome);
      progress?.add(1);
    }
  } finally {
    progress?.clear();
  }
  const bad = outcomes.filter(({ status }) => BAD.has(status));
  output.result({ items: outcomes, skipped }, () => summary(outcomes));
  if (bad.length === 0) return;
  throw new CliError(
    EXIT.failure,
    [`${bad.length} of ${outcomes.length} are not here as locked:`, ...bad.map(line)].join("\n"),
  );
}

const BAD: ReadonlySet<PrefetchStatus> = new Set(["missing", "failed", "differs"]);

const line = ({ package: name, version, path, status, detail }: PrefetchOutcome): string =>
  `  ${name} ${version}${path === undefined ? "" : ` ${path}`}: ${status}${detail === "" ? "" : `: ${detail}`}`;

function noteSkipped(output: Output, skipped: readonly string[]): void {
  if (skipped.length === 0) return;
  const shown = skipped.slice(0, MAX_SKIPPED_SHOWN).map(printable).join(", ");
  const more = skipped.length > MAX_SKIPPED_SHOWN ? " and others" : "";
  output.warn(`${skipped.length} entries are pinned to no version of a registry: ${shown}${more}.`);
}

function summary(outcomes: readonly PrefetchOutcome[]): string {
  const count = (status: PrefetchStatus): number =>
    outcomes.filter((outcome) => outcome.status === status).length;
  const fetched = outcomes.filter(({ status }) => status === "fetched");
  const sizeBytes = fetched.reduce((sum, outcome) => sum + outcome.sizeBytes, 0);
  return `${fetched.length} fetched (${formatBytes(sizeBytes)}), ${count("cached")} were here.`;
}
