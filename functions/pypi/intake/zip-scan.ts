import { crc32, inflateRawSync } from "node:zlib";
import { TooLargeError } from "../../../shared/errors.ts";
import {
  type ArchiveScan,
  damaged,
  MAX_ENTRIES,
  MAX_METADATA_BYTES,
  requireHonestSize,
} from "./archive-limits.ts";
import { requirePathInside } from "./archive-path.ts";
import {
  CENTRAL_FILE,
  END,
  END_64,
  LOCAL_FILE,
  readCentral,
  readLocal,
  recordLength,
  type ZipEntry,
} from "./zip-records.ts";

const MAX_NAMES_LENGTH = 16 * 1024 * 1024;
const STORED = 0;
const DEFLATED = 8;
const METADATA = {
  wheel: /^[^/]+\.dist-info\/METADATA$/,
  sdist: /^[^/]+\/PKG-INFO$/,
} as const;
/** Without these no installer takes a wheel (https://packaging.python.org/en/latest/specifications/binary-distribution-format/). */
const WHEEL_PARTS = ["WHEEL", "RECORD"] as const;

/**
 * Reads a zip file from its first byte to its last, entry by entry, and holds its central directory against what it
 * read: installers that stream and installers that jump to the end must find the same files, as the public index
 * demands since 2025 (https://blog.pypi.org/posts/2025-08-07-wheel-archive-confusion-attacks/). A reader that begins at
 * the end cannot tell, and needs all bytes first, which is why no library does this.
 */
export class ZipScan implements ArchiveScan {
  readonly #kind: "wheel" | "sdist";
  readonly #entries = new Map<string, ZipEntry & { readonly offset: number }>();
  readonly #listed = new Set<string>();
  #pending: Buffer = Buffer.alloc(0);
  #position = 0;
  #skip = 0;
  #collected: Uint8Array[] | undefined;
  #metadata: { readonly entry: ZipEntry; readonly chunks: Uint8Array[] } | undefined;
  #unpackedBytes = 0;
  #namesLength = 0;
  #directoryStart: number | undefined;
  #has64 = false;
  #ended = false;

  constructor(kind: "wheel" | "sdist") {
    this.#kind = kind;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = this.#passContent(bytes);
    while (rest.length > 0) {
      if (this.#ended) throw damaged("there are bytes behind the end of the zip file");
      const joined: Buffer = Buffer.concat([this.#pending, rest]);
      const length = recordLength(joined);
      if (length === undefined || joined.length < length) {
        this.#pending = joined;
        return;
      }
      this.#pending = Buffer.alloc(0);
      this.#record(joined.subarray(0, length));
      this.#position += length;
      rest = this.#passContent(joined.subarray(length));
    }
  }

  async finish(): Promise<Uint8Array> {
    if (!this.#ended) throw damaged("the zip file breaks off");
    requireHonestSize(this.#unpackedBytes, this.#position);
    if (this.#metadata === undefined) {
      const path = this.#kind === "wheel" ? "<name>.dist-info/METADATA" : "<name>/PKG-INFO";
      throw damaged(`there is no ${path} in it`);
    }
    if (this.#kind === "wheel") this.#requireWheelParts(this.#metadata.entry.name);
    return unpack(this.#metadata.entry, Buffer.concat(this.#metadata.chunks));
  }

  destroy(): void {
    this.#ended = true;
  }

  /** Passes over the content of the present entry and gives what comes behind it. */
  #passContent(bytes: Uint8Array): Uint8Array {
    const take = Math.min(this.#skip, bytes.length);
    if (take === 0) return bytes;
    // The chunk may be used again by who sent it.
    this.#collected?.push(Uint8Array.from(bytes.subarray(0, take)));
    this.#skip -= take;
    this.#position += take;
    if (this.#skip === 0) this.#collected = undefined;
    return bytes.subarray(take);
  }

  #record(record: Buffer): void {
    switch (record.readUInt32LE(0)) {
      case LOCAL_FILE:
        this.#enter({ ...readLocal(record), offset: this.#position });
        return;
      case CENTRAL_FILE:
        this.#directoryStart ??= this.#position;
        this.#list(readCentral(record));
        return;
      case END_64:
        this.#has64 = true;
        this.#requireDirectory(
          Number(record.readBigUInt64LE(32)),
          Number(record.readBigUInt64LE(48)),
        );
        return;
      case END:
        if (!this.#has64) this.#requireDirectory(record.readUInt16LE(10), record.readUInt32LE(16));
        if (this.#listed.size !== this.#entries.size) {
          throw damaged("its central directory does not list every file in it");
        }
        this.#ended = true;
        return;
      default:
    }
  }

  #enter(entry: ZipEntry & { readonly offset: number }): void {
    const { name, compressedBytes } = entry;
    if (this.#directoryStart !== undefined) throw damaged("a file stands behind its directory");
    requirePathInside(name);
    if (this.#entries.has(name)) throw damaged(`"${name.slice(0, 100)}" is in it twice`);
    this.#namesLength += name.length;
    if (this.#entries.size >= MAX_ENTRIES || this.#namesLength > MAX_NAMES_LENGTH) {
      throw damaged(`it has more than ${MAX_ENTRIES} files, or too long names`);
    }
    this.#unpackedBytes += entry.sizeBytes;
    this.#entries.set(name, entry);
    this.#skip = compressedBytes;
    this.#collected = undefined;
    if (METADATA[this.#kind].test(name)) this.#collect(entry);
  }

  #collect(entry: ZipEntry): void {
    if (this.#metadata !== undefined) {
      throw damaged(
        `it has the metadata files "${this.#metadata.entry.name.slice(0, 100)}" and "${entry.name.slice(0, 100)}"; only one can be right`,
      );
    }
    if (entry.compressedBytes > MAX_METADATA_BYTES || entry.sizeBytes > MAX_METADATA_BYTES) {
      throw new TooLargeError("The metadata in the distribution", MAX_METADATA_BYTES);
    }
    const chunks: Uint8Array[] = [];
    this.#collected = chunks;
    this.#metadata = { entry, chunks };
  }

  #list(listed: ZipEntry & { readonly offset: number }): void {
    const { name } = listed;
    const entry = this.#entries.get(name);
    const same =
      entry?.offset === listed.offset &&
      entry.compressedBytes === listed.compressedBytes &&
      entry.sizeBytes === listed.sizeBytes &&
      entry.method === listed.method &&
      entry.crc32 === listed.crc32;
    if (!same || this.#listed.has(name)) {
      throw damaged(
        `its central directory says other things of "${name.slice(0, 100)}" than the file itself`,
      );
    }
    this.#listed.add(name);
  }

  #requireDirectory(count: number, offset: number): void {
    if (count !== this.#listed.size || offset !== (this.#directoryStart ?? this.#position)) {
      throw damaged("its end does not point at its central directory");
    }
  }

  #requireWheelParts(metadataPath: string): void {
    const folder = metadataPath.slice(0, metadataPath.lastIndexOf("/") + 1);
    for (const part of WHEEL_PARTS) {
      if (!this.#entries.has(folder + part)) throw damaged(`there is no ${folder}${part} in it`);
    }
  }
}

function unpack({ method, sizeBytes, crc32: expected }: ZipEntry, content: Buffer): Uint8Array {
  let bytes: Uint8Array;
  try {
    if (method !== STORED && method !== DEFLATED) throw new TypeError("unknown compression");
    bytes =
      method === STORED
        ? content
        : inflateRawSync(content, { maxOutputLength: MAX_METADATA_BYTES });
  } catch {
    throw damaged("the metadata in it cannot be decompressed");
  }
  if (bytes.length !== sizeBytes || crc32(bytes) !== expected) {
    throw damaged("the metadata in it does not match its checksum");
  }
  return bytes;
}
