import type { Command } from "commander";
import * as z from "zod";
import type { ApiClient } from "../client/api-client.ts";
import { apiPath } from "../client/api-path.ts";
import { usageError } from "../client/failures.ts";
import { Progress } from "../client/progress.ts";
import { ask, isInteractive } from "../client/prompt.ts";
import { purgedSchema, type PurgedView } from "../client/schemas.ts";
import { formatBytes } from "../client/text.ts";
import { openSession, parseOptions, withCommonOptions, withExamples } from "./session.ts";

/** One call of the API goes on for some seconds. */
const TIMEOUT_MS = 5 * 60_000;

const flagsSchema = z.object({
  package: z.string().optional(),
  version: z.string().optional(),
  documents: z.boolean().default(false),
  confirm: z.string().optional(),
  progress: z.boolean().default(true),
});

/** `registry purge <slug>`. */
export function addPurge(group: Command): void {
  const purge = group
    .command("purge")
    .summary("take copies out of a proxy")
    .description(
      "Removes what a proxy has cached, so that it is fetched anew: everything, which asks for the slug, typed by you; or a package, or one version of it.",
    )
    .argument("<slug>")
    .option("--package <name>", "only copies of this package")
    .option("--version <version>", "only files of this version of it")
    .option("--documents", "remove nothing; have documents held against the upstream's")
    .option("--confirm <slug>", "the slug once more, where nobody can be asked")
    .option("--no-progress", "show no progress");
  withExamples(withCommonOptions(purge), [
    "registry purge npmjs --package left-pad",
    "registry purge npmjs --package left-pad --version 1.3.0",
    "registry purge npmjs --documents",
    "registry purge npmjs --confirm npmjs",
  ]).action(async (slug: string, _options: unknown, command: Command) => {
    const session = openSession(command);
    const flags = parseOptions(command, flagsSchema);
    const { package: name, version, documents } = flags;
    if (version !== undefined && name === undefined) {
      throw usageError("A version is one of a package.", "Name it: --package <name>");
    }
    const isEverything = name === undefined && !documents;
    const confirm = isEverything ? await confirmed(slug, flags.confirm) : undefined;
    const body = {
      documents,
      ...(name === undefined ? {} : { package: name }),
      ...(version === undefined ? {} : { version }),
      ...(confirm === undefined ? {} : { confirm }),
    };
    const api = await session.connect();
    const { stderr } = session.output;
    const done = await purgeAll(api, slug, body, (total) =>
      flags.progress ? new Progress(stderr, { label: slug, total, unit: "items" }) : undefined,
    );
    session.output.result(done, () => words(slug, done, documents));
  });
}

async function confirmed(slug: string, confirm: string | undefined): Promise<string> {
  const what = `This removes everything that ${slug} has cached`;
  if (confirm === undefined && !isInteractive()) {
    throw usageError(`${what}.`, `Confirm: --confirm ${slug}`);
  }
  const typed = confirm ?? (await ask(`${what}. Type its slug to go on: `));
  if (typed !== slug) throw usageError(`"${typed}" is not "${slug}"; nothing was removed.`);
  return typed;
}

/** Calls until all is done; the first answer says how much there is. */
async function purgeAll(
  api: ApiClient,
  slug: string,
  body: object,
  show: (total: number) => Progress | undefined,
): Promise<PurgedView> {
  let sum: PurgedView = {
    packages: 0,
    versions: 0,
    files: 0,
    documents: 0,
    sizeBytes: 0,
    remaining: 0,
  };
  let progress: Progress | undefined;
  let left = 0;
  let cursor: string | undefined;
  try {
    do {
      const { nextCursor, remaining, ...done } = await api.send({
        method: "POST",
        path: apiPath`/registries/${slug}/purge`,
        body: { ...body, ...(cursor === undefined ? {} : { cursor }) },
        schema: purgedSchema,
        timeoutMs: TIMEOUT_MS,
      });
      sum = {
        packages: sum.packages + done.packages,
        versions: sum.versions + done.versions,
        files: sum.files + done.files,
        documents: sum.documents + done.documents,
        sizeBytes: sum.sizeBytes + done.sizeBytes,
        remaining,
      };
      cursor = nextCursor;
      progress?.add(left - remaining);
      left = remaining;
      if (cursor !== undefined) progress ??= show(left);
    } while (cursor !== undefined);
  } finally {
    progress?.clear();
  }
  return sum;
}

function words(slug: string, done: PurgedView, documents: boolean): string {
  if (documents) {
    return `${done.documents} documents of ${slug} will be held against the upstream's when they are asked for next.`;
  }
  return `Removed ${done.files} files (${formatBytes(done.sizeBytes)}) and ${done.documents} documents of ${done.packages} packages from ${slug}. The garbage collection frees their bytes.`;
}
