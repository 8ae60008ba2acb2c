import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import * as z from "zod";
import type { ApiClient } from "../client/api-client.ts";
import { CliError, EXIT, usageError } from "../client/failures.ts";
import { getRegistry } from "../client/files.ts";
import { findFile, type FoundFile } from "../client/find-file.ts";
import { Interruption } from "../client/interruption.ts";
import type { Output } from "../client/output.ts";
import { parsePackageSpec } from "../client/package-spec.ts";
import { Progress } from "../client/progress.ts";
import { formatBytes } from "../client/text.ts";
import { downloadFile } from "../client/transfer/download-file.ts";
import { hashFile } from "../client/transfer/hash-file.ts";
import { openSession, parseOptions, withCommonOptions, withExamples } from "./session.ts";

const flagsSchema = z.object({
  out: z.string().optional(),
  force: z.boolean().default(false),
  progress: z.boolean(),
});

/** `pull <registry> <package>[@version] [path]`. */
export function addPullCommand(program: Command): void {
  const pull = program
    .command("pull")
    .summary("download a file and verify it")
    .description(
      "Downloads a file of the latest version, or of the version or tag that is named, and verifies its SHA-256. An interrupted download goes on where it stopped.",
    )
    .argument("<registry>")
    .argument("<package[@version]>")
    .argument("[path]", "file of the version; may be left away when there is only one")
    .option(
      "-o, --out <file>",
      "where to write it, replacing what is there (default: its own name, here)",
    )
    .option("-f, --force", "replace a file of its own name too")
    .option("--no-progress", "show no progress");
  withExamples(withCommonOptions(pull), [
    "pull builds app@1.2.0 app.tar.gz",
    "pull builds app -o /tmp/app.tar.gz",
    "pull my-npm @acme/app@latest",
  ]).action(
    async (
      slug: string,
      text: string,
      path: string | undefined,
      _options: unknown,
      command: Command,
    ) => {
      const session = openSession(command);
      const { output } = session;
      const flags = parseOptions(command, flagsSchema);
      const spec = parsePackageSpec(text);
      const api = await session.connect();
      const registry = await getRegistry(api, slug);
      const found = await findFile(api, registry, spec, path);
      const out = await chooseOut(found, flags.out);
      const state = await stateOf(out, found);
      if (state === "other" && flags.out === undefined && !flags.force) {
        throw new CliError(EXIT.conflict, `${out} exists already and is another file.`, {
          hint: "Replace it with --force, or name another place with -o <file>.",
        });
      }
      if (state !== "same") await download(api, output, found, out, flags.progress);
      const { sha256, sizeBytes, version } = found;
      const result = { registry: slug, package: spec.name, version, path: found.path, file: out };
      output.result({ ...result, sizeBytes, sha256, downloaded: state !== "same" }, () =>
        state === "same"
          ? `${out} is there already and the same.\n  sha256 ${sha256}`
          : `${out} (${formatBytes(sizeBytes)}) of ${spec.name} ${version}\n  sha256 ${sha256}, verified`,
      );
    },
  );
}

async function chooseOut(found: FoundFile, out: string | undefined): Promise<string> {
  const name = safeName(found.path);
  if (out === undefined) return resolve(name);
  const isFolder = out.endsWith("/") || (await kindOf(out)) === "folder";
  return resolve(isFolder ? join(out, name) : out);
}

/** The last segment of a path that the server sent: never more than a name in the folder that was chosen. */
function safeName(path: string): string {
  const name = path.split(/[/\\]/).at(-1) ?? "";
  if (name !== "" && name !== "." && name !== ".." && !name.includes("\0")) return name;
  throw usageError(`"${path}" cannot be the name of a file here.`, "Name one: -o <file>");
}

async function kindOf(path: string): Promise<"absent" | "file" | "folder"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return "absent";
  }
}

async function stateOf(out: string, found: FoundFile): Promise<"absent" | "same" | "other"> {
  const kind = await kindOf(out);
  if (kind === "folder") throw usageError(`${out} is a folder.`, "Name a file: -o <file>");
  if (kind === "absent") return "absent";
  if ((await stat(out)).size !== found.sizeBytes) return "other";
  const { sha256 } = await hashFile(out, () => undefined);
  return sha256 === found.sha256 ? "same" : "other";
}

async function download(
  api: ApiClient,
  output: Output,
  found: FoundFile,
  out: string,
  showProgress: boolean,
): Promise<void> {
  const { sizeBytes: totalBytes, url } = found;
  const options = { label: safeName(found.path), total: totalBytes };
  let progress = showProgress ? new Progress(output.stderr, options) : undefined;
  await using interruption = new Interruption();
  try {
    await downloadFile(api, {
      url,
      expected: found,
      out,
      signal: interruption.signal,
      onBytes: (bytes) => progress?.add(bytes),
      onResume: (doneBytes) => {
        output.note(`Going on after ${formatBytes(doneBytes)} that are in ${out}.part.`);
        if (showProgress) progress = new Progress(output.stderr, { ...options, done: doneBytes });
      },
    });
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    throw new CliError(EXIT.interrupted, `Interrupted. What arrived is kept in ${out}.part.`, {
      hint: "Go on with the same command.",
    });
  } finally {
    progress?.clear();
  }
}
