import type { JsonObject } from "../../../shared/domain/json.ts";
import { TarGzipReader } from "../../../shared/services/archives/tar-gzip-reader.ts";
import { TarballContents } from "./tarball-contents.ts";

/** What a tarball turned out to hold. */
export interface TarballFacts {
  readonly packageJson: JsonObject;
  /** Regular files. */
  readonly fileCount: number;
  /** Sum of the sizes of the files. */
  readonly unpackedSizeBytes: number;
  readonly hasShrinkwrap: boolean;
  /** `binding.gyp` at the root makes npm run node-gyp at install. */
  readonly hasBindingGyp: boolean;
  /** Text of the README at the root, cut off where npm's registry cuts it; empty without one. */
  readonly readme: string;
}

/**
 * Reads a package's tarball while it arrives: gzip and tar must be well formed to the last byte, no entry may
 * be dangerous to unpack, and it must hold a `package.json`. Memory does not grow with the tarball.
 */
export class TarballCheck {
  readonly #contents = new TarballContents();
  readonly #reader = new TarGzipReader(this.#contents);

  /** Takes the next bytes of the gzip file. @throws {InvalidInputError} | {TooLargeError} for what was found so far. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#reader.write(bytes);
  }

  /** The verdict, after the last byte. @throws {InvalidInputError} | {TooLargeError} */
  async finish(): Promise<TarballFacts> {
    await this.#reader.finish();
    return this.#contents.facts();
  }

  /** Stops reading; the check is over without a verdict. */
  destroy(): void {
    this.#reader.destroy();
  }
}
