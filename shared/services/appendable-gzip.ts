import { constants, crc32 } from "node:zlib";
import { deflate, inflate } from "./compression.ts";

/**
 * Text in one gzip member (RFC 1952) that can grow at the end without being decoded or compressed again.
 *
 * The deflate stream is a sealed run, flushed to a byte boundary, and a tail: entries added since, and the
 * closing text. Appending decodes and compresses only the tail; when the tail's entries pass
 * {@link SEAL_BYTES} they are sealed. The CRC that gzip wants over all of the text continues from the
 * sealed run's, which is why whatever changes with each append stands at the end.
 */
export interface AppendableGzip {
  /** The whole member, as it is sent. */
  readonly gzip: Uint8Array;
  readonly entryCount: number;
  /** Of the text. */
  readonly lengthBytes: number;
  /** Compressed bytes of the sealed run. */
  readonly sealedBytes: number;
  /** Text bytes of the sealed run. */
  readonly sealedLengthBytes: number;
  readonly sealedCrc32: number;
  /** Text bytes of the tail's entries, before the closing. */
  readonly openLengthBytes: number;
}

/** Small enough to compress in a millisecond, large enough to find most repetitions between entries. */
const SEAL_BYTES = 64 * 1024;
/** RFC 1952, 2.3: deflate, no flags, no time, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
const TRAILER_BYTES = 8;

/** Builds a document from nothing. */
export async function buildGzip(
  opening: string,
  entries: Iterable<string>,
  separator: string,
  closing: string,
): Promise<AppendableGzip> {
  let sealed: Sealed = { chunks: [], bytes: 0, lengthBytes: 0, crc: 0 };
  let open = opening;
  let entryCount = 0;
  for (const entry of entries) {
    open += entryCount === 0 ? entry : separator + entry;
    entryCount++;
    if (open.length > SEAL_BYTES) {
      sealed = await seal(sealed, Buffer.from(open));
      open = "";
    }
  }
  return assemble(sealed, Buffer.from(open), closing, entryCount);
}

/** The closing text, to be changed and given to {@link appendGzip} or {@link recloseGzip}. */
export async function readClosing(document: AppendableGzip): Promise<string> {
  const tail = await readTail(document);
  return tail.toString("utf8", document.openLengthBytes);
}

/** Adds one entry and replaces the closing. */
export async function appendGzip(
  document: AppendableGzip,
  separator: string,
  entry: string,
  closing: string,
): Promise<AppendableGzip> {
  const added = Buffer.from(document.entryCount === 0 ? entry : separator + entry);
  const open = Buffer.concat([await readOpen(document), added]);
  const before = sealedOf(document);
  const entryCount = document.entryCount + 1;
  return open.length > SEAL_BYTES
    ? assemble(await seal(before, open), Buffer.alloc(0), closing, entryCount)
    : assemble(before, open, closing, entryCount);
}

/** Replaces the closing only. */
export async function recloseGzip(
  document: AppendableGzip,
  closing: string,
): Promise<AppendableGzip> {
  return assemble(sealedOf(document), await readOpen(document), closing, document.entryCount);
}

interface Sealed {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  readonly lengthBytes: number;
  readonly crc: number;
}

function sealedOf(document: AppendableGzip): Sealed {
  return {
    chunks: [document.gzip.subarray(HEADER.length, HEADER.length + document.sealedBytes)],
    bytes: document.sealedBytes,
    lengthBytes: document.sealedLengthBytes,
    crc: document.sealedCrc32,
  };
}

/** The tail was compressed without a dictionary, so it decodes without the sealed run before it. */
async function readTail(document: AppendableGzip): Promise<Buffer> {
  const { gzip, sealedBytes } = document;
  return inflate(gzip.subarray(HEADER.length + sealedBytes, gzip.length - TRAILER_BYTES));
}

async function readOpen(document: AppendableGzip): Promise<Buffer> {
  if (document.openLengthBytes === 0) return Buffer.alloc(0);
  return (await readTail(document)).subarray(0, document.openLengthBytes);
}

async function seal(sealed: Sealed, text: Buffer): Promise<Sealed> {
  // A sync flush ends at a byte boundary with no final block: another deflate stream may follow.
  const chunk = await deflate(text, { finishFlush: constants.Z_SYNC_FLUSH });
  return {
    chunks: [...sealed.chunks, chunk],
    bytes: sealed.bytes + chunk.length,
    lengthBytes: sealed.lengthBytes + text.length,
    crc: crc32(text, sealed.crc),
  };
}

async function assemble(
  sealed: Sealed,
  open: Buffer,
  closing: string,
  entryCount: number,
): Promise<AppendableGzip> {
  const text = Buffer.concat([open, Buffer.from(closing)]);
  const tail = await deflate(text);
  const lengthBytes = sealed.lengthBytes + text.length;
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(crc32(text, sealed.crc), 0);
  trailer.writeUInt32LE(lengthBytes % 2 ** 32, 4);
  return {
    gzip: Buffer.concat([HEADER, ...sealed.chunks, tail, trailer]),
    entryCount,
    lengthBytes,
    sealedBytes: sealed.bytes,
    sealedLengthBytes: sealed.lengthBytes,
    sealedCrc32: sealed.crc,
    openLengthBytes: open.length,
  };
}
