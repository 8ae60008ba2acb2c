import { pipeline, Readable, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract, type Header } from "tar-stream";
import type { ByteStream } from "../../ports/blobs.ts";
import type { ReadBudget } from "./read-budget.ts";

const MAGIC_BYTES = 4;

/** What is needed of the bytes of an entry. */
export interface EntryBytes {
  on(event: "data", listener: (chunk: unknown) => void): unknown;
}

/** Hears of every entry twice: when it begins, to listen to its bytes if it likes, and when it has all come. */
export interface TarVisitor {
  enter(header: Header, bytes: EntryBytes): void;
  leave(header: Header): void;
}

/**
 * Reads a tar archive, plain or packed with gzip or zstd, from the first byte to the last, in flat memory.
 *
 * @throws {BudgetExceededError}; the words of tar, gzip or zstd for an archive that is damaged; what the visitor
 *   throws.
 */
export async function readTar(
  source: ByteStream,
  budget: ReadBudget,
  visitor: TarVisitor,
): Promise<void> {
  const tar = extract();
  const ended = new Promise<void>((resolve, reject) => {
    tar.on("entry", (header, stream, next) => {
      try {
        visitor.enter(header, stream);
      } catch (error) {
        reject(toError(error));
        tar.destroy();
        return;
      }
      // An archive that breaks off within an entry fails there too; the archive itself tells of it.
      stream.on("error", () => {});
      stream.on("end", () => {
        visitor.leave(header);
        next();
      });
      stream.resume();
    });
    tar.on("finish", () => resolve());
    tar.on("error", reject);
    tar.on("close", () => reject(new Error("the archive breaks off")));
  });
  ended.catch(() => {});
  try {
    for await (const chunk of unpacked(source)) {
      budget.countBytes(chunk.length);
      if (!tar.write(chunk)) {
        const drained = new Promise<void>((resolve) => {
          tar.once("drain", () => resolve());
        });
        await Promise.race([drained, ended]);
      }
    }
    tar.end(undefined);
    await ended;
  } finally {
    tar.destroy();
  }
}

/** By the first bytes: media types lie, and some say nothing of the compression. */
async function* unpacked(source: ByteStream): AsyncIterable<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  const input = Readable.from(replay(head, iterator));
  const decoder = decoderOf(head);
  if (decoder !== undefined) pipeline(input, decoder, () => {});
  const output = decoder ?? input;
  try {
    for await (const chunk of output) if (chunk instanceof Uint8Array) yield chunk;
  } finally {
    output.destroy();
    input.destroy();
  }
}

async function* replay(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  try {
    yield head;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

function decoderOf(head: Buffer): Transform | undefined {
  if (head.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return createGunzip();
  const isZstd = head.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
  return isZstd ? createZstdDecompress() : undefined;
}

const toError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error));
