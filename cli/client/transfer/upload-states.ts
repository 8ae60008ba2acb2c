import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { readSmallFile, writePrivateFile } from "../private-file.ts";

const stateSchema = z.object({
  uploadId: z.string().min(1).max(200),
  sizeBytes: z.number(),
  sha256: z.string(),
  /** The local file, for people who look into the folder. */
  file: z.string(),
  startedAt: z.string(),
});
/** An upload that was begun, and is not known to be over. */
export type UploadState = z.infer<typeof stateSchema>;

/** What an upload is for; the same push finds the same state again. */
export interface UploadTarget {
  readonly url: string;
  readonly registry: string;
  readonly packageName: string;
  readonly version: string;
  readonly path: string;
}

/** Remembers unfinished uploads between runs of the command, a file each, so that runs side by side do not meet. */
export class UploadStates {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `undefined` when there is none, or it cannot be understood: the file is then simply sent anew. */
  async find(target: UploadTarget): Promise<UploadState | undefined> {
    const text = await readSmallFile(this.#path(target));
    if (text === undefined) return undefined;
    try {
      return stateSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  async save(target: UploadTarget, state: UploadState): Promise<void> {
    await writePrivateFile(
      this.#path(target),
      `${JSON.stringify({ ...target, ...state }, undefined, 2)}\n`,
    );
  }

  async remove(target: UploadTarget): Promise<void> {
    await rm(this.#path(target), { force: true });
  }

  #path(target: UploadTarget): string {
    const { url, registry, packageName, version, path } = target;
    const key = JSON.stringify([url, registry, packageName, version, path]);
    return join(
      this.#folder,
      `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`,
    );
  }
}
