import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { CliError, EXIT, systemCode, usageError } from "../failures.ts";
import { readFileChunks } from "../read-file.ts";

export interface HashedFile {
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** The size of a file that is to be sent. @throws {CliError} when there is none, or it is a folder. */
export async function requireFile(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw usageError(`There is no file "${path}".`);
    throw new CliError(EXIT.failure, `"${path}" cannot be read: ${systemCode(error)}.`, {
      cause: error,
    });
  }
  throw usageError(
    `"${path}" is not a file.`,
    "Name the files themselves, or pack the folder first.",
  );
}

/** Reads a file once, in flat memory. `onBytes` hears of every chunk. @throws {CliError} when it cannot be read. */
export async function hashFile(
  path: string,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<HashedFile> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    for await (const chunk of readFileChunks(path, signal)) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      onBytes(chunk.length);
    }
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new CliError(EXIT.failure, `"${path}" cannot be read: ${systemCode(error)}.`, {
      cause: error,
    });
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}
