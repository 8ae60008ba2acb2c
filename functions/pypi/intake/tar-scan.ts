import type { Header } from "tar-stream";
import { InvalidInputError, TooLargeError } from "../../../shared/errors.ts";
import {
  type EntryStream,
  gatherBytes,
  TarGzipReader,
  type TarGzipRules,
} from "../../../shared/services/archives/tar-gzip-reader.ts";
import {
  type ArchiveScan,
  damaged,
  MAX_ENTRIES,
  MAX_METADATA_BYTES,
  requireHonestSize,
} from "./archive-limits.ts";
import { requireLinkInside, requirePathInside } from "./archive-path.ts";

/** https://packaging.python.org/en/latest/specifications/source-distribution-format/#source-distribution-archive-features */
const METADATA = /^[^/]+\/PKG-INFO$/;
const PLAIN_TYPES: ReadonlySet<string> = new Set(["file", "contiguous-file", "directory"]);

/** Reads a gzipped tar archive (an sdist). */
export class TarScan implements ArchiveScan {
  readonly #contents = new SdistContents();
  readonly #reader = new TarGzipReader(this.#contents);

  write(bytes: Uint8Array): Promise<void> {
    return this.#reader.write(bytes);
  }

  async finish(): Promise<Uint8Array> {
    await this.#reader.finish();
    return this.#contents.metadata();
  }

  destroy(): void {
    this.#reader.destroy();
  }
}

class SdistContents implements TarGzipRules {
  #entries = 0;
  #metadata: readonly Uint8Array[] | undefined;

  enter({ name, type, size, linkname }: Header, stream: EntryStream): void {
    if (++this.#entries > MAX_ENTRIES) throw damaged(`it has more than ${MAX_ENTRIES} entries`);
    requirePathInside(name);
    if (type === "symlink" || type === "link") {
      requireLinkInside(type, name, linkname ?? "");
      return;
    }
    if (!PLAIN_TYPES.has(type ?? "file")) {
      throw damaged(
        `its entry "${name.slice(0, 100)}" is a ${type}; only files, folders and links can be published`,
      );
    }
    const path = name.replace(/^(?:\.\/)+/, "");
    if (!METADATA.test(path)) return;
    // Of two, some installers read the first and some the last: what was checked must be what is installed.
    if (this.#metadata !== undefined) throw damaged("it has more than one PKG-INFO at its top");
    if ((size ?? 0) > MAX_METADATA_BYTES) {
      throw new TooLargeError("The metadata in the distribution", MAX_METADATA_BYTES);
    }
    this.#metadata = gatherBytes(stream);
  }

  requireHonestSize(unpackedBytes: number, packedBytes: number): void {
    requireHonestSize(unpackedBytes, packedBytes);
  }

  damaged(words: string): InvalidInputError {
    return new InvalidInputError(
      `The distribution is damaged or not a gzipped tar archive (${words}); build it again.`,
      [{ at: "content", problem: words }],
    );
  }

  metadata(): Uint8Array {
    if (this.#metadata === undefined) throw damaged("there is no <name>-<version>/PKG-INFO in it");
    return Buffer.concat(this.#metadata);
  }
}
