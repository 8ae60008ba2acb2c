import { damaged } from "./archive-limits.ts";

/** Section numbers are those of https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. */
export const LOCAL_FILE = 0x04034b50;
export const CENTRAL_FILE = 0x02014b50;
export const END = 0x06054b50;
export const END_64 = 0x06064b50;
export const END_64_LOCATOR = 0x07064b50;

const END_64_BYTES = 56;
const LOCATOR_BYTES = 20;
const UNKNOWN_SIZE = 0xffffffff;
const ZIP64_EXTRA = 0x0001;

/** What a local header (4.3.7) or a header of the central directory (4.3.12) says of an entry. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc32: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
}

/** Length of the record that begins here; `undefined` until enough of it has come to tell. @throws {InvalidInputError} */
export function recordLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const signature = bytes.readUInt32LE(0);
  switch (signature) {
    case LOCAL_FILE:
      return bytes.length < 30 ? undefined : 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
    case CENTRAL_FILE:
      return bytes.length < 46
        ? undefined
        : 46 + bytes.readUInt16LE(28) + bytes.readUInt16LE(30) + bytes.readUInt16LE(32);
    case END:
      return bytes.length < 22 ? undefined : 22 + bytes.readUInt16LE(20);
    case END_64:
      return END_64_BYTES;
    case END_64_LOCATOR:
      return LOCATOR_BYTES;
    default:
      throw damaged("it is not a zip file, or damaged");
  }
}

/** @throws {InvalidInputError} for what the public index refuses too: encryption, sizes that come after the bytes. */
export function readLocal(record: Buffer): ZipEntry {
  const flags = record.readUInt16LE(6);
  if ((flags & 1) !== 0) throw damaged("it is an encrypted zip file");
  if ((flags & 8) !== 0) {
    throw damaged("its entries have their sizes behind their bytes (zip data descriptors)");
  }
  const nameEnd = 30 + record.readUInt16LE(26);
  return withZip64(record.subarray(nameEnd), {
    name: decodeName(record.subarray(30, nameEnd)),
    method: record.readUInt16LE(8),
    crc32: record.readUInt32LE(14),
    compressedBytes: record.readUInt32LE(18),
    sizeBytes: record.readUInt32LE(22),
  });
}

/** An entry of the central directory, and where it says that the local header is. @throws {InvalidInputError} */
export function readCentral(record: Buffer): ZipEntry & { readonly offset: number } {
  const nameEnd = 46 + record.readUInt16LE(28);
  const extra = record.subarray(nameEnd, nameEnd + record.readUInt16LE(30));
  const entry = withZip64(extra, {
    name: decodeName(record.subarray(46, nameEnd)),
    method: record.readUInt16LE(10),
    crc32: record.readUInt32LE(16),
    compressedBytes: record.readUInt32LE(20),
    sizeBytes: record.readUInt32LE(24),
  });
  const offset = record.readUInt32LE(42);
  if (offset !== UNKNOWN_SIZE) return { ...entry, offset };
  const unknown = [record.readUInt32LE(24), record.readUInt32LE(20)].filter(
    (size) => size === UNKNOWN_SIZE,
  );
  return { ...entry, offset: zip64Number(extra, unknown.length) };
}

/** Sizes of 4 GiB and more stand in an extra field (4.5.3), in this order, each only if it is marked so. */
function withZip64(extra: Buffer, entry: ZipEntry): ZipEntry {
  const { sizeBytes, compressedBytes } = entry;
  if (sizeBytes !== UNKNOWN_SIZE && compressedBytes !== UNKNOWN_SIZE) return entry;
  return {
    ...entry,
    sizeBytes: sizeBytes === UNKNOWN_SIZE ? zip64Number(extra, 0) : sizeBytes,
    compressedBytes:
      compressedBytes === UNKNOWN_SIZE
        ? zip64Number(extra, sizeBytes === UNKNOWN_SIZE ? 1 : 0)
        : compressedBytes,
  };
}

function zip64Number(extra: Buffer, position: number): number {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    const start = at + 4 + 8 * position;
    if (extra.readUInt16LE(at) !== ZIP64_EXTRA || start + 8 > Math.min(end, extra.length)) continue;
    const value = extra.readBigUInt64LE(start);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  }
  throw damaged("a zip entry does not tell its size");
}

function decodeName(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw damaged("the name of a zip entry is not UTF-8");
  }
}
