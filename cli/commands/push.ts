import { basename, resolve } from "node:path";
import type { Command } from "commander";
import * as z from "zod";
import type { ApiClient } from "../client/api-client.ts";
import { CliError, EXIT, usageError } from "../client/failures.ts";
import { type FileAddress, getRegistry } from "../client/files.ts";
import { uploadsFolder } from "../client/folders.ts";
import { Interruption } from "../client/interruption.ts";
import { readTarballManifest, tarballName } from "../client/npm-tarball.ts";
import type { RegistryView } from "../client/schemas.ts";
import { formatBytes } from "../client/text.ts";
import { hashFile, requireFile } from "../client/transfer/hash-file.ts";
import { pushFile, type PushResult } from "../client/transfer/push-file.ts";
import { UploadStates } from "../client/transfer/upload-states.ts";
import { PushDisplay } from "../client/push-display.ts";
import {
  openSession,
  parseOptions,
  type Session,
  wholeNumber,
  withCommonOptions,
  withExamples,
} from "./session.ts";

const flagsSchema = z.object({
  package: z.string().optional(),
  version: z.string().optional(),
  path: z.string().optional(),
  contentType: z.string().optional(),
  parallel: wholeNumber(1, 16),
  progress: z.boolean(),
});
type Flags = z.infer<typeof flagsSchema>;

/** `push <registry> <file…>`. */
export function addPushCommand(program: Command): void {
  const push = program
    .command("push")
    .summary("publish files of any size")
    .description(
      "Publishes files. An interrupted push goes on where it stopped when it is called again; every byte is verified by SHA-256. An npm package (.tgz) brings its name and version along.",
    )
    .argument("<registry>")
    .argument("<file...>")
    .option("--package <name>", "package to publish to (generic registries)")
    .option("--version <version>", "version to publish (generic registries)")
    .option(
      "--path <path>",
      "name within the version (default: the file's name); a folder when it ends with /",
    )
    .option("--content-type <type>", "media type to serve it with")
    .option("--parallel <count>", "parts sent at the same time, 1 to 16", "4")
    .option("--no-progress", "show no progress");
  withExamples(withCommonOptions(push), [
    "push builds app.tar.gz --package app --version 1.2.0",
    "push builds dist/* --package app --version 1.2.0 --path linux/",
    "push my-npm acme-app-1.0.0.tgz",
  ]).action(async (slug: string, files: readonly string[], _options: unknown, command: Command) => {
    const session = openSession(command);
    const flags = parseOptions(command, flagsSchema);
    if (files.length > 1 && flags.path !== undefined && !flags.path.endsWith("/")) {
      throw usageError(
        "--path names one file, but several are pushed.",
        "End it with / to name a folder.",
      );
    }
    const api = await session.connect();
    const registry = await getRegistry(api, slug);
    const results: PushResult[] = [];
    for (const file of files) results.push(await pushOne(api, session, registry, file, flags));
    const [only] = results;
    // One file is the usual case, and its answer needs no list around it.
    const json = results.length === 1 ? only : { files: results };
    session.output.result(json, () => results.map(words).join("\n"));
  });
}

async function pushOne(
  api: ApiClient,
  session: Session,
  registry: RegistryView,
  file: string,
  flags: Flags,
): Promise<PushResult> {
  const fileSizeBytes = await requireFile(file);
  const address = await addressOf(registry, file, flags);
  const display = new PushDisplay(session.output, flags.progress, basename(file));
  await using interruption = new Interruption();
  const { signal } = interruption;
  try {
    const content = await display.hashing(fileSizeBytes, (onBytes) =>
      hashFile(file, onBytes, signal),
    );
    const job = {
      address,
      file: resolve(file),
      content,
      contentType: flags.contentType,
      mutable: registry.policies?.mutableFiles ?? false,
      parallel: flags.parallel,
      signal,
    };
    return await pushFile(api, new UploadStates(uploadsFolder(process.env)), job, display);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new CliError(EXIT.interrupted, `Interrupted.${display.kept()}`, {
      hint: `Go on with the same command: ${sameCommand()}`,
    });
  } finally {
    display.end();
  }
}

async function addressOf(registry: RegistryView, file: string, flags: Flags): Promise<FileAddress> {
  const { slug, ecosystem } = registry;
  if (ecosystem === "oci") {
    throw usageError(
      `${slug} is an oci registry: push images with an OCI client such as docker, skopeo or oras.`,
      "Clients that only stream push large layers through: entrepot proxy",
    );
  }
  if (ecosystem === "npm") {
    const manifest = await readTarballManifest(file);
    requireSameOrAbsent("--package", flags.package, manifest.name);
    requireSameOrAbsent("--version", flags.version, manifest.version);
    const path = tarballName(manifest.name, manifest.version);
    requireSameOrAbsent("--path", flags.path, path);
    const { name: packageName, version } = manifest;
    return { registry: slug, packageName, version, path };
  }
  const { package: packageName, version, path = "" } = flags;
  if (packageName === undefined || version === undefined) {
    throw usageError(
      `${slug} is a ${ecosystem} registry: name the package and version.`,
      `entrepot push ${slug} ${file} --package <name> --version <version>`,
    );
  }
  const fullPath = path === "" || path.endsWith("/") ? path + basename(file) : path;
  return { registry: slug, packageName, version, path: fullPath };
}

function requireSameOrAbsent(flag: string, given: string | undefined, actual: string): void {
  if (given === undefined || given === actual) return;
  throw usageError(
    `${flag} says "${given}", but the npm package says "${actual}".`,
    `Leave ${flag} away: the package.json in the tarball counts.`,
  );
}

function words(result: PushResult): string {
  const what = `${result.path} (${formatBytes(result.sizeBytes)}) of ${result.package} ${result.version}`;
  const did = result.outcome === "unchanged" ? "Already there:" : "Published";
  const resumed =
    result.resumedParts > 0 ? ` (${result.resumedParts} of its parts were there from before)` : "";
  return `${did} ${what}${resumed}\n  sha256 ${result.sha256}\n  ${result.url}`;
}

/** The command line as it can be typed again. It never holds a token: tokens are not taken as flags. */
function sameCommand(): string {
  const quote = (word: string): string =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
  return ["entrepot", ...process.argv.slice(2)].map(quote).join(" ");
}
