import type { Header } from "tar-stream";
import { isJsonObject, type JsonObject } from "../../../shared/domain/json.ts";
import { InvalidInputError, TooLargeError } from "../../../shared/errors.ts";
import { parseJson } from "../../../shared/http/json-body.ts";
import type { TarballFacts } from "./tarball-check.ts";
import { parseEntryPath, requireLinkInside } from "./tarball-path.ts";

const MAX_ENTRIES = 100_000;
const MAX_PACKAGE_JSON_BYTES = 1024 * 1024;
const MAX_PACKAGE_JSON_DEPTH = 64;
const MAX_README_BYTES = 256 * 1024;
/** npm's own registry keeps 64 KiB of a README. */
const MAX_README_LENGTH = 64 * 1024;
const README = /^readme(?:\.(?:md|markdown|txt|rst))?$/i;

/** What is needed of the stream of an entry's bytes. */
export interface EntryStream {
  on(event: "data", listener: (chunk: unknown) => void): unknown;
}

/**
 * Takes down what a tarball holds, entry by entry. All entries stand below one folder; npm names it
 * `package`, other tools (DefinitelyTyped's) use the package's name, and every client strips the first
 * segment whatever it is.
 */
export class TarballContents {
  #folder: string | undefined;
  #entries = 0;
  #fileCount = 0;
  #unpackedSizeBytes = 0;
  #packageJson: Uint8Array[] | undefined;
  #readme: { readonly chunks: Uint8Array[]; readonly isMarkdown: boolean } | undefined;
  #hasShrinkwrap = false;
  #hasBindingGyp = false;

  /** Judges an entry and notes what it is. The caller reads the stream. @throws {InvalidInputError} | {TooLargeError} */
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
      this.#packageJson = gather(stream);
    } else if (path === "npm-shrinkwrap.json") {
      this.#hasShrinkwrap = true;
    } else if (path === "binding.gyp") {
      this.#hasBindingGyp = true;
    } else if (README.test(path) && sizeBytes > 0 && sizeBytes <= MAX_README_BYTES) {
      const isMarkdown = /\.(?:md|markdown)$/i.test(path);
      if (this.#readme === undefined || (isMarkdown && !this.#readme.isMarkdown)) {
        this.#readme = { chunks: gather(stream), isMarkdown };
      }
    }
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

function gather(stream: EntryStream): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk) => {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  });
  return chunks;
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
