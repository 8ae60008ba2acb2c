import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import * as z from "zod";
import { CliError, EXIT } from "./failures.ts";

const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;

const manifestSchema = z.looseObject({
  name: z.string().min(1).max(214),
  version: z.string().min(1).max(256),
});
export type TarballManifest = z.infer<typeof manifestSchema>;

/**
 * Name and version of an npm package, from the `package.json` in the first folder of its tarball, as npm reads
 * it (it strips one path segment whatever its name: https://github.com/npm/pacote).
 *
 * @throws {CliError} when the file is not such a tarball.
 */
export async function readTarballManifest(path: string): Promise<TarballManifest> {
  const text = await readManifestText(path);
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw notTarball(path, "its package.json has no name and version");
}

async function readManifestText(path: string): Promise<string> {
  const entries = extract();
  const unpacking = pipeline(createReadStream(path), createGunzip(), entries).catch(
    () => undefined,
  );
  try {
    const text = await findManifest(entries, path);
    if (text !== undefined) return text;
  } catch (error) {
    if (error instanceof CliError) throw error;
    // What is wrong with the gzip or the tar ends the iteration.
    throw notTarball(path, error instanceof Error ? error.message : String(error));
  } finally {
    entries.destroy();
    await unpacking;
  }
  throw notTarball(path, "it holds no package.json");
}

async function findManifest(
  entries: ReturnType<typeof extract>,
  path: string,
): Promise<string | undefined> {
  let unpackedBytes = 0;
  for await (const entry of entries) {
    const { name, type, size } = entry.header;
    unpackedBytes += size;
    if (unpackedBytes > MAX_UNPACKED_BYTES) throw notTarball(path, "it unpacks to more than 4 GiB");
    if (type !== "file" || !/^[^/]+\/package\.json$/.test(name.replace(/^\.\//, ""))) {
      entry.resume();
      continue;
    }
    if (size > MAX_MANIFEST_BYTES) throw notTarball(path, "its package.json is larger than 1 MiB");
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) {
      if (chunk instanceof Uint8Array) chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

function notTarball(path: string, why: string): CliError {
  return new CliError(EXIT.failure, `"${path}" is not an npm package: ${why}.`, {
    hint: "Make one with: npm pack",
  });
}

/** What npm calls the tarball of a version: `name-1.0.0.tgz`, without the scope. */
export function tarballName(name: string, version: string): string {
  return `${name.slice(name.lastIndexOf("/") + 1)}-${version}.tgz`;
}
