import { InvalidInputError, TooLargeError } from "../../../shared/errors.ts";

export const MAX_ENTRIES = 100_000;
export const MAX_METADATA_BYTES = 2 * 1024 * 1024;

const MAX_UNPACKED_BYTES = 32 * 1024 ** 3;
/** Below this, whatever the ratio: real distributions of repetitive files are that small. */
const MAX_SUSPICIOUS_BYTES = 100 * 1024 ** 2;
const MAX_RATIO = 200;

/** Refuses archives that unpack to more than they can honestly hold. @throws {TooLargeError} | {@link InvalidInputError} */
export function requireHonestSize(unpackedBytes: number, packedBytes: number): void {
  if (unpackedBytes > MAX_UNPACKED_BYTES) {
    throw new TooLargeError("The unpacked distribution", MAX_UNPACKED_BYTES);
  }
  if (unpackedBytes > MAX_SUSPICIOUS_BYTES && unpackedBytes > packedBytes * MAX_RATIO) {
    throw damaged(
      `it unpacks to more than ${MAX_RATIO} times its size, which is taken for a decompression bomb`,
    );
  }
}

/** The archive's own fault, in words for who built it. */
export const damaged = (why: string): InvalidInputError =>
  new InvalidInputError(`The distribution cannot be published: ${why}. Build it again.`, [
    { at: "content", problem: why },
  ]);

/** Reads an archive while it arrives, in flat memory. */
export interface ArchiveScan {
  /** @throws {InvalidInputError} | {@link TooLargeError} for what was found so far. */
  write(bytes: Uint8Array): Promise<void>;
  /** After the last byte: the core metadata in it. @throws {InvalidInputError} | {@link TooLargeError} */
  finish(): Promise<Uint8Array>;
  /** Stops; there will be no verdict. */
  destroy(): void;
}
