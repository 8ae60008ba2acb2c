import { isJsonObject, type Json, type JsonObject, property } from "../../shared/domain/json.ts";
import type { Version } from "../../shared/domain/package.ts";
import { fieldText } from "./core-metadata.ts";

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
  readonly hasProvenance: boolean;
  readonly uploadedAtMs: number;
}

/** A release's own metadata: the fields of its first file, and its files. */
export function releaseMetadata(fields: JsonObject, files: readonly ReleaseFile[]): JsonObject {
  return { fields, files: files.map((file) => ({ ...file })) };
}

/** The same release with the files of `added` behind its own; the fields stay those of the first file. */
export function mergeRelease(before: JsonObject, added: JsonObject): JsonObject {
  return { fields: fieldsOf(before), files: [...rawFiles(before), ...rawFiles(added)] };
}

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

/** The reason why a release was yanked (PEP 592); empty unless it was. */
export const yankedReason = (version: Pick<Version, "deprecation">): string => version.deprecation;

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
    hasProvenance: property(file, "hasProvenance") === true,
    uploadedAtMs: fieldNumber(file, "uploadedAtMs"),
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
