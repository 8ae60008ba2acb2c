import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  DigestMismatchError,
  MIN_PART_BYTES,
  MultipartNotFoundError,
  MultipartPartError,
  type MultipartUpload,
  type UploadedPart,
} from "../../ports/blobs.ts";
import { syncFolder } from "./blob-folder.ts";
import { isErrno, unlessMissing } from "./errno.ts";
import { openFileStream } from "./file-stream.ts";
import { isUploadId, newUploadId, startedAtMsOf } from "./upload-id.ts";
import { writeStreamToFile } from "./write-file.ts";

/**
 * A part's file is its bytes and then their sha256: bytes and ETag replace an earlier part of the same
 * number in one rename, which a file beside it could not promise.
 */
const TRAILER_BYTES = 32;
const MAX_LISTED = 1000;

/** Unfinished uploads, one folder each: `multipart/<uploadId>/<part number>`. */
export class PartFolder {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Creates what is missing. */
  static async open(folder: string): Promise<PartFolder> {
    const root = join(folder, "multipart");
    await mkdir(root, { recursive: true });
    return new PartFolder(root);
  }

  /** A new, empty upload; durable when it resolves. */
  async begin(startedAtMs: number): Promise<MultipartUpload> {
    const uploadId = newUploadId(startedAtMs);
    await mkdir(join(this.#root, uploadId));
    await syncFolder(this.#root);
    return { uploadId, startedAtMs };
  }

  /** @throws {MultipartNotFoundError} */
  async requireUpload(uploadId: string): Promise<string> {
    if (!isUploadId(uploadId)) throw new MultipartNotFoundError();
    const path = join(this.#root, uploadId);
    if ((await unlessMissing(() => stat(path))) === undefined) throw new MultipartNotFoundError();
    return path;
  }

  /**
   * Stores one part, replacing an earlier one of that number; gives its ETag, unquoted.
   * `tempPath` must be a new name in the same file system.
   *
   * @throws {MultipartNotFoundError} | {@link DigestMismatchError} when it is not `sizeBytes` long.
   */
  async putPart(
    part: { readonly uploadId: string; readonly partNumber: number; readonly sizeBytes: number },
    body: AsyncIterable<Uint8Array>,
    tempPath: string,
  ): Promise<string> {
    const folder = await this.requireUpload(part.uploadId);
    const trailed = new TrailedBody(body, part.sizeBytes);
    await writeStreamToFile(tempPath, trailed.chunks(), () => undefined);
    try {
      await rename(tempPath, join(folder, String(part.partNumber)));
    } catch (error) {
      await rm(tempPath, { force: true });
      throw isErrno(error, "ENOENT") ? new MultipartNotFoundError() : error;
    }
    await syncFolder(folder);
    return trailed.digest();
  }

  /** Ascending. @throws {MultipartNotFoundError} */
  async list(uploadId: string): Promise<readonly UploadedPart[]> {
    const folder = await this.requireUpload(uploadId);
    const numbers = (await readdir(folder)).map(Number).sort((a, b) => a - b);
    const parts: UploadedPart[] = [];
    for (const partNumber of numbers) {
      parts.push(await readPart(join(folder, String(partNumber)), partNumber));
    }
    return parts;
  }

  /**
   * The bytes of the parts 1..`partCount`, in order.
   *
   * @throws {MultipartNotFoundError} | {@link MultipartPartError}, before the first byte.
   */
  async join(uploadId: string, partCount: number): Promise<AsyncIterable<Uint8Array>> {
    const found = new Map((await this.list(uploadId)).map((part) => [part.partNumber, part]));
    const parts = Array.from({ length: partCount }, (_, index) => {
      const part = found.get(index + 1);
      if (part === undefined) throw new MultipartPartError(index + 1, "missing");
      if (index + 1 < partCount && part.sizeBytes < MIN_PART_BYTES) {
        throw new MultipartPartError(index + 1, "too-small");
      }
      return part;
    });
    return joined(join(this.#root, uploadId), parts);
  }

  /** Forgets an upload; an unknown one is no error. */
  async remove(uploadId: string): Promise<void> {
    if (!isUploadId(uploadId)) return;
    await rm(join(this.#root, uploadId), { recursive: true, force: true });
  }

  /** At most 1,000, oldest first. */
  async listUploads(): Promise<readonly MultipartUpload[]> {
    const names = (await readdir(this.#root)).sort();
    return names.slice(0, MAX_LISTED).flatMap((uploadId) => {
      const startedAtMs = startedAtMsOf(uploadId);
      return startedAtMs === undefined ? [] : [{ uploadId, startedAtMs }];
    });
  }
}

class TrailedBody {
  readonly #body: AsyncIterable<Uint8Array>;
  readonly #sizeBytes: number;
  #digest = Buffer.alloc(0);

  constructor(body: AsyncIterable<Uint8Array>, sizeBytes: number) {
    this.#body = body;
    this.#sizeBytes = sizeBytes;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const hash = createHash("sha256");
    let seenBytes = 0;
    for await (const chunk of this.#body) {
      seenBytes += chunk.byteLength;
      if (seenBytes > this.#sizeBytes) break;
      hash.update(chunk);
      yield chunk;
    }
    if (seenBytes !== this.#sizeBytes) {
      throw new DigestMismatchError("size", String(this.#sizeBytes), String(seenBytes));
    }
    this.#digest = hash.digest();
    yield this.#digest;
  }

  digest(): string {
    return this.#digest.toString("hex");
  }
}

async function* joined(folder: string, parts: readonly UploadedPart[]): AsyncGenerator<Uint8Array> {
  for (const { partNumber, sizeBytes } of parts) {
    if (sizeBytes === 0) continue;
    const range = { start: 0, end: sizeBytes - 1 };
    const stream = await openFileStream(join(folder, String(partNumber)), range);
    if (stream === undefined) throw new MultipartNotFoundError();
    yield* stream;
  }
}

async function readPart(path: string, partNumber: number): Promise<UploadedPart> {
  const handle = await unlessMissing(() => open(path, "r"));
  if (handle === undefined) throw new MultipartNotFoundError();
  try {
    const sizeBytes = (await handle.stat()).size - TRAILER_BYTES;
    const { buffer } = await handle.read(Buffer.alloc(TRAILER_BYTES), 0, TRAILER_BYTES, sizeBytes);
    return { partNumber, sizeBytes, etag: `"${buffer.toString("hex")}"` };
  } finally {
    await handle.close();
  }
}
