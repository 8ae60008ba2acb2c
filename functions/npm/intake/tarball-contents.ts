import type { Header } from "tar-stream";
import { isJsonObject, type JsonObject } from "../../../shared/domain/json.ts";
import { InvalidInputError, TooLargeError } from "../../../shared/errors.ts";
import { parseJson } from "../../../shared/http/json-body.ts";
import {
  type EntryStream,
  gatherBytes,
  type TarGzipRules,
} from "../../../shared/services/archives/tar-gzip-reader.ts";
import type { TarballFacts } from "./tarball-check.ts";
import { parseEntryPath, requireLinkInside } from "./tarball-path.ts";

const MAX_ENTRIES = 100_000;
const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;
/** Below this, whatever the ratio: real packages of repetitive files are that small. */
const MAX_SUSPICIOUS_BYTES = 100 * 1024 ** 2;
const MAX_RATIO = 200;
const MAX_PACKAGE_JSON_BYTES = 1024 * 1024;
const MAX_PACKAGE_JSON_DEPTH = 64;
const MAX_README_BYTES = 256 * 1024;
/** npm's own registry keeps 64 KiB of a README. */
const MAX_README_LENGTH = 64 * 1024;
const README = /^readme(?:\.(?:md|markdown|txt|rst))?$/i;

/**
 * Takes down what a tarball holds, entry by entry. All entries stand below one folder; npm names it
 * `package`, other tools (DefinitelyTyped's) use the package's name, and every client strips the first
 * segment whatever it is.
 */
export class TarballContents implements TarGzipRules {
  #folder: string | undefined;
  #entries = 0;
  #fileCount = 0;
  #unpackedSizeBytes = 0;
  #packageJson: readonly Uint8Array[] | undefined;
  #readme: { readonly chunks: readonly Uint8Array[]; readonly isMarkdown: boolean } | undefined;
  #hasShrinkwrap = false;
  #hasBindingGyp = false;

  /** @throws {InvalidInputError} | {TooLargeError} */
  enter(header: Header, stream: EntryStream): void {
    if (++this.#entries > MAX_ENTRIES) {
      throw new InvalidInputError(
        `The tarball has more than ${MAX_ENTRIES} entries, the limit here.`,
      );
    }
    const { folder, path } = parseEntryPath(header.name);
    this.#folder ??= folder;
    if (folder !== this.#folder) {
      throw new InvalidInputError(
        `The tarball has the folders "${this.#folder.slice(0, 80)}" and "${folder.slice(0, 80)}"; everything must stand below one.`,
      );
    }
    if (header.type === "directory") return;
    if (path === "") {
      throw new InvalidInputError(
        `The tarball has a file "${folder.slice(0, 80)}" outside of a folder; put everything below "package/".`,
      );
    }
    if (header.type === "symlink" || header.type === "link") {
      requireLinkInside(header.type, header.name, header.linkname);
      return;
    }
    if (header.type !== "file" && header.type !== "contiguous-file") {
      throw new InvalidInputError(
        `The tarball has an entry "${header.name.slice(0, 80)}" of the type ${header.type}; only files, folders and links within it can be published.`,
      );
    }
    this.#enterFile(path, header.size, stream);
  }

  #enterFile(path: string, sizeBytes: number, stream: EntryStream): void {
    this.#fileCount++;
    this.#unpackedSizeBytes += sizeBytes;
    if (path === "package.json") {
      // Of two, some tools would read the first and some the last: what was checked must be what is installed.
      if (this.#packageJson !== undefined) {
        throw new InvalidInputError("The tarball has more than one package.json at its root.");
      }
      if (sizeBytes > MAX_PACKAGE_JSON_BYTES) {
        throw new TooLargeError("The package.json in the tarball", MAX_PACKAGE_JSON_BYTES);
      }
      this.#packageJson = gatherBytes(stream);
    } else if (path === "npm-shrinkwrap.json") {
      this.#hasShrinkwrap = true;
    } else if (path === "binding.gyp") {
      this.#hasBindingGyp = true;
    } else if (README.test(path) && sizeBytes > 0 && sizeBytes <= MAX_README_BYTES) {
      const isMarkdown = /\.(?:md|markdown)$/i.test(path);
      if (this.#readme === undefined || (isMarkdown && !this.#readme.isMarkdown)) {
        this.#readme = { chunks: gatherBytes(stream), isMarkdown };
      }
    }
  }

  /** @throws {InvalidInputError} | {TooLargeError} */
  requireHonestSize(unpackedBytes: number, packedBytes: number): void {
    if (unpackedBytes > MAX_UNPACKED_BYTES) {
      throw new TooLargeError("The unpacked tarball", MAX_UNPACKED_BYTES);
    }
    if (unpackedBytes > MAX_SUSPICIOUS_BYTES && unpackedBytes > packedBytes * MAX_RATIO) {
      throw new InvalidInputError(
        `The tarball unpacks to more than ${MAX_RATIO} times its size; that is taken for a decompression bomb.`,
        [{ at: "/_attachments", problem: "suspicious compression ratio" }],
      );
    }
  }

  damaged(words: string): InvalidInputError {
    return new InvalidInputError(
      `The tarball is damaged or not a gzipped tar archive (${words}); pack it again.`,
      [{ at: "/_attachments", problem: words }],
    );
  }

  /** @throws {InvalidInputError} without a readable package.json. */
  facts(): TarballFacts {
    return {
      packageJson: this.#parsePackageJson(),
      fileCount: this.#fileCount,
      unpackedSizeBytes: this.#unpackedSizeBytes,
      hasShrinkwrap: this.#hasShrinkwrap,
      hasBindingGyp: this.#hasBindingGyp,
      readme: Buffer.concat(this.#readme?.chunks ?? [])
        .toString("utf8")
        .slice(0, MAX_README_LENGTH),
    };
  }

  #parsePackageJson(): JsonObject {
    if (this.#packageJson === undefined) {
      throw new InvalidInputError(
        `The tarball has no ${this.#folder?.slice(0, 80) ?? "package"}/package.json; pack it with "npm pack" or a tool like it.`,
      );
    }
    const text = Buffer.concat(this.#packageJson).toString("utf8");
    const value = parsePackageJsonText(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
    if (!isJsonObject(value))
      throw new InvalidInputError("The package.json in the tarball is not a JSON object.");
    return value;
  }
}

function parsePackageJsonText(text: string): unknown {
  try {
    return parseJson(text, MAX_PACKAGE_JSON_DEPTH);
  } catch {
    throw new InvalidInputError(
      `The package.json in the tarball is not valid JSON, or nested more than ${MAX_PACKAGE_JSON_DEPTH} levels deep.`,
    );
  }
}
