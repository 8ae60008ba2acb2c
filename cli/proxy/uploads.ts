import { randomUUID } from "node:crypto";
import type { Spool, SpoolFolder } from "./spool.ts";

/** An upload that nobody goes on with is forgotten after this. */
const IDLE_MS = 3_600_000;
const MAX_UPLOADS = 1000;

/** An upload of a client, kept here until its digest is known. */
export interface Upload {
  readonly id: string;
  /** `<registry>/<image>`. */
  readonly name: string;
  /** Where the remote wants the blob. */
  readonly remoteLocation: string;
  /** What the remote takes there in one request. */
  readonly remoteLimitBytes: number;
  readonly spool: Spool;
}

interface Entry {
  readonly upload: Upload;
  touchedAtMs: number;
  isBusy: boolean;
}

/** The uploads of a running proxy: each has one writer at a time, and none outlives the process. */
export class Uploads {
  readonly #folder: SpoolFolder;
  readonly #entries = new Map<string, Entry>();

  constructor(folder: SpoolFolder) {
    this.#folder = folder;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** `undefined` when there are too many. */
  async create(
    target: Pick<Upload, "name" | "remoteLocation" | "remoteLimitBytes">,
  ): Promise<Upload | undefined> {
    if (this.#entries.size >= MAX_UPLOADS) return undefined;
    const upload = { ...target, id: randomUUID(), spool: await this.#folder.create() };
    this.#entries.set(upload.id, { upload, touchedAtMs: Date.now(), isBusy: false });
    return upload;
  }

  /** `undefined` for an unknown one, and for one of another repository. */
  find(name: string, id: string): Upload | undefined {
    const upload = this.#entries.get(id)?.upload;
    return upload?.name === name ? upload : undefined;
  }

  /**
   * Runs `task` as the only writer of an upload. When it throws, the upload is forgotten: what a client sent
   * halfway, it sends again from the beginning.
   *
   * @returns `undefined` while another writes.
   */
  async write<T>({ id }: Upload, task: () => Promise<T>): Promise<T | undefined> {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.isBusy) return undefined;
    entry.isBusy = true;
    try {
      return await task();
    } catch (error) {
      await this.forget(entry.upload);
      throw error;
    } finally {
      entry.isBusy = false;
      entry.touchedAtMs = Date.now();
    }
  }

  /** Forgets an upload with its bytes. */
  async forget({ id, spool }: Upload): Promise<void> {
    this.#entries.delete(id);
    await spool.close();
  }

  /** Forgets those on which nothing has moved for an hour. */
  async sweep(nowMs: number): Promise<void> {
    for (const { upload, touchedAtMs, isBusy } of this.#entries.values()) {
      if (!isBusy && nowMs - touchedAtMs > IDLE_MS) await this.forget(upload);
    }
  }

  async close(): Promise<void> {
    for (const { upload } of this.#entries.values()) await this.forget(upload);
  }
}
