import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fsync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  utimesSync,
} from "node:fs";
import { access, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { isDigest } from "../../domain/digest.ts";
import { isErrno, unlessMissing } from "./errno.ts";

const PIECE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const fsyncAsync = promisify(fsync);

/**
 * The folder that {@link FileBlobs} keeps, and the order of operations that makes a file in it durable:
 * write under `tmp/`, fsync the file, rename to `sha256/ab/<hex>`, fsync the folders of the name.
 * 256 shards keep folders small for millions of blobs, and soon exist: a second level would cost nearly every
 * publish two new folders and their fsyncs.
 * `tmp/` is inside the folder because a rename is atomic only within one file system.
 */
export class BlobFolder {
  readonly #root: string;
  readonly #temp: string;
  /** Shards whose own names this process has fsynced; another process may have made one and then crashed. */
  readonly #durableShards = new Set<string>();

  private constructor(folder: string) {
    this.#root = join(folder, "sha256");
    this.#temp = join(folder, "tmp");
  }

  /** Creates what is missing. */
  static async open(folder: string): Promise<BlobFolder> {
    const opened = new BlobFolder(folder);
    await mkdir(opened.#root, { recursive: true });
    await mkdir(opened.#temp, { recursive: true });
    await syncFolder(folder);
    return opened;
  }

  /** A new name that nobody else will choose. */
  tempPath(): string {
    return join(this.#temp, randomUUID());
  }

  /** A new name for a staged piece, and the id that leads back to it. */
  newPiece(): { readonly pieceId: string; readonly path: string } {
    const pieceId = randomUUID();
    return { pieceId, path: join(this.#temp, pieceId) };
  }

  /** Where a piece is; `undefined` for an id that is none of ours, before it touches a path. */
  piecePath(pieceId: string): string | undefined {
    return PIECE_ID.test(pieceId) ? join(this.#temp, pieceId) : undefined;
  }

  /** Makes the names in the temporary folder durable. */
  async syncTemp(): Promise<void> {
    await syncFolder(this.#temp);
  }

  /** @throws {TypeError} for anything but 64 lower-case hexadecimal digits, before it touches a path. */
  pathOf(sha256: string): string {
    return join(this.#shardOf(sha256), sha256);
  }

  /** Whether there is a blob of this digest; whole, if perhaps not durable yet. */
  has(sha256: string): boolean {
    return existsSync(this.pathOf(sha256));
  }

  /**
   * Moves a file that was fsynced to its place, replacing what is there, with `storedAtMs` as its time;
   * durable when it resolves.
   */
  async commit(tempPath: string, sha256: string, storedAtMs: number): Promise<void> {
    const shard = this.#shardOf(sha256);
    // Names of local files change in microseconds and the kernel does not wait for the disk; a trip to
    // the thread pool for each costs more than the call. Only fsync is worth one.
    utimesSync(tempPath, storedAtMs / 1000, storedAtMs / 1000);
    try {
      renameSync(tempPath, join(shard, sha256));
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
      this.#durableShards.delete(shard);
      mkdirSync(shard, { recursive: true });
      renameSync(tempPath, join(shard, sha256));
    }
    await this.#syncName(shard);
  }

  /**
   * Sets the time of a blob that is there and `sizeBytes` long, and makes its name durable: who put it
   * there may not have come so far yet. `false` when it is not there.
   */
  async refresh(sha256: string, sizeBytes: number, storedAtMs: number): Promise<boolean> {
    const path = this.pathOf(sha256);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.size !== sizeBytes) return false;
    try {
      utimesSync(path, storedAtMs / 1000, storedAtMs / 1000);
    } catch (error) {
      if (isErrno(error, "ENOENT")) return false;
      throw error;
    }
    await this.#syncName(this.#shardOf(sha256));
    return true;
  }

  async #syncName(shard: string): Promise<void> {
    if (this.#durableShards.has(shard)) return syncFolder(shard);
    await Promise.all([syncFolder(shard), syncFolder(this.#root)]);
    this.#durableShards.add(shard);
  }

  /** Fails as the system does when the folder is gone or cannot be written to. */
  async probe(): Promise<void> {
    await access(this.#root, constants.R_OK | constants.W_OK);
    await access(this.#temp, constants.R_OK | constants.W_OK);
  }

  /** Digests of the blobs that sort after `after`, ascending. */
  async *digestsAfter(after: string): AsyncGenerator<string> {
    for (const shard of await sortedNames(this.#root)) {
      if (shard.length !== 2 || shard < after.slice(0, 2)) continue;
      for (const name of await sortedNames(join(this.#root, shard))) {
        if (name > after && isDigest("sha256", name)) yield name;
      }
    }
  }

  /** Removes temporary files that nobody has written to since `olderThanMs`. */
  async sweepTemp(olderThanMs: number): Promise<void> {
    for (const name of await readdir(this.#temp)) {
      const path = join(this.#temp, name);
      const found = await unlessMissing(() => stat(path));
      if (found !== undefined && found.mtimeMs < olderThanMs) await rm(path, { force: true });
    }
  }

  #shardOf(sha256: string): string {
    if (!isDigest("sha256", sha256)) {
      throw new TypeError("a sha256 is 64 lower-case hexadecimal digits");
    }
    return join(this.#root, sha256.slice(0, 2));
  }
}

/** Makes the names in a folder durable: a rename is lost in a power cut until its folder is fsynced. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder as a file, and NTFS journals names by itself.
  if (process.platform === "win32") return;
  const descriptor = openSync(path, "r");
  try {
    await fsyncAsync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function sortedNames(folder: string): Promise<readonly string[]> {
  return (await unlessMissing(() => readdir(folder)))?.sort() ?? [];
}
