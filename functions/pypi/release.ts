import { isJsonObject, type Json, type JsonObject, property } from "../../shared/domain/json.ts";
import type { Version } from "../../shared/domain/package.ts";
import type { FileRules } from "../../shared/services/ecosystem.ts";
import { fieldText } from "./core-metadata.ts";
import { METADATA_SUFFIX, PKG_INFO_SUFFIX, PROVENANCE_SUFFIX } from "./names.ts";

/** What a release's row knows of one of its files; the row's metadata has them under `files`. */
export interface ReleaseFile {
  readonly fileName: string;
  readonly kind: "wheel" | "sdist";
  readonly pythonVersion: string;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly sha256: string;
  /** Empty of files that were published before it was always computed. */
  readonly blake2b256: string;
  readonly requiresPython: string;
  /** Of the file's core metadata; empty when that is not served apart from it. */
  readonly metadataSha256: string;
  /** Of the core metadata that is kept for its description only; empty when it is served apart, or describes nothing. */
  readonly pkgInfoSha256: string;
  readonly hasProvenance: boolean;
  readonly uploadedAtMs: number;
  /** The reason why this file was yanked, whatever the release; empty unless it was. */
  readonly yanked: string;
}

/** A release's own metadata: the fields of its first file, and its files. */
export function releaseMetadata(fields: JsonObject, files: readonly ReleaseFile[]): JsonObject {
  return { fields, files: files.map(withoutEmpty) };
}

/** The same release with the files of `added` behind its own; the fields stay those of the first file. */
export function mergeRelease(before: JsonObject, added: JsonObject): JsonObject {
  return { ...before, files: [...rawFiles(before), ...rawFiles(added)] };
}

/** Whether a file of this name was deleted that had other bytes. */
export const isUsedName = (metadata: JsonObject, fileName: string, sha256: string): boolean =>
  deletedFiles(metadata).some((file) => file.fileName === fileName && file.sha256 !== sha256);

/** A release's files as the API changes them one by one. */
export const FILE_RULES: FileRules = {
  pathsOf: (path) => [
    path,
    path + METADATA_SUFFIX,
    path + PROVENANCE_SUFFIX,
    path + PKG_INFO_SUFFIX,
  ],
  deprecate: (metadata, path, message) => {
    const files = filesOf({ metadata });
    if (!files.some(({ fileName }) => fileName === path)) return undefined;
    const changed = files.map((file) =>
      file.fileName === path ? { ...file, yanked: message } : file,
    );
    return { ...metadata, files: changed.map(withoutEmpty) };
  },
  remove: (metadata, path) => {
    const files = filesOf({ metadata });
    const removed = files.find(({ fileName }) => fileName === path);
    if (removed === undefined) return undefined;
    if (files.length === 1) return "last";
    const { fileName, sha256 } = removed;
    // A name is used once: lockfiles hold its hash. The same bytes may come back.
    const others = deletedFiles(metadata).filter((file) => file.fileName !== fileName);
    return {
      ...metadata,
      files: files.filter((file) => file !== removed).map(withoutEmpty),
      deleted: [...others, { fileName, sha256 }],
    };
  },
};

/** The core metadata of a release by field. */
export function fieldsOf(metadata: JsonObject): JsonObject {
  const fields = property(metadata, "fields");
  return isJsonObject(fields) ? fields : {};
}

/** The files of a release in the order of their upload. */
export function filesOf({ metadata }: Pick<Version, "metadata">): readonly ReleaseFile[] {
  return rawFiles(metadata).flatMap((file) => (isJsonObject(file) ? [toFile(file)] : []));
}

export function countFiles(metadata: JsonObject): number {
  return rawFiles(metadata).length;
}

/** The reason why a file was yanked, by itself or with its release (PEP 592); empty unless it was. */
export const yankedReason = (version: Pick<Version, "deprecation">, file?: ReleaseFile): string =>
  version.deprecation === "" ? (file?.yanked ?? "") : version.deprecation;

/** What is empty is left out: a release has hundreds of files, and a row 400 KB. */
const withoutEmpty = (file: ReleaseFile): JsonObject =>
  Object.fromEntries(Object.entries(file).filter(([, value]) => value !== "" && value !== false));

/** Names that were used in the release, with the SHA-256 that they stood for. */
function deletedFiles(
  metadata: JsonObject,
): readonly { readonly fileName: string; readonly sha256: string }[] {
  const deleted = property(metadata, "deleted");
  return (isList(deleted) ? deleted : [])
    .filter(isJsonObject)
    .map((file) => ({ fileName: fieldText(file, "fileName"), sha256: fieldText(file, "sha256") }));
}

function toFile(file: JsonObject): ReleaseFile {
  return {
    fileName: fieldText(file, "fileName"),
    kind: property(file, "kind") === "wheel" ? "wheel" : "sdist",
    pythonVersion: fieldText(file, "pythonVersion"),
    sizeBytes: fieldNumber(file, "sizeBytes"),
    md5: fieldText(file, "md5"),
    sha256: fieldText(file, "sha256"),
    blake2b256: fieldText(file, "blake2b256"),
    requiresPython: fieldText(file, "requiresPython"),
    metadataSha256: fieldText(file, "metadataSha256"),
    pkgInfoSha256: fieldText(file, "pkgInfoSha256"),
    hasProvenance: property(file, "hasProvenance") === true,
    uploadedAtMs: fieldNumber(file, "uploadedAtMs"),
    yanked: fieldText(file, "yanked"),
  };
}

function rawFiles(metadata: JsonObject): readonly Json[] {
  const files = property(metadata, "files");
  return isList(files) ? files : [];
}

function fieldNumber(object: JsonObject, name: string): number {
  const value = property(object, name);
  return typeof value === "number" ? value : 0;
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
