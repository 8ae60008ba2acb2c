import { type JsonObject, property } from "../../shared/domain/json.ts";
import { InvalidInputError } from "../../shared/errors.ts";
import { normalize } from "./names.ts";
import { compareVersions, readVersion } from "./versions.ts";

const MAX_HEADERS = 20_000;
/** Of everything but the description, so that a release's row takes many files besides. */
const MAX_KEPT_LENGTH = 100_000;
const MAX_DESCRIPTION_LENGTH = 64 * 1024;

/** Fields that stand once, and fields that repeat (https://packaging.python.org/en/latest/specifications/core-metadata/). */
const SINGLE = [
  "metadata-version",
  "name",
  "version",
  "summary",
  "description-content-type",
  "keywords",
  "home-page",
  "download-url",
  "author",
  "author-email",
  "maintainer",
  "maintainer-email",
  "license",
  "license-expression",
  "requires-python",
] as const;
const REPEATED = [
  "classifier",
  "dynamic",
  "license-file",
  "platform",
  "project-url",
  "provides-extra",
  "requires-dist",
  "requires-external",
] as const;
/** What decides what an installer resolves. */
const RESOLVED: ReadonlySet<string> = new Set([
  "requires-dist",
  "requires-python",
  "provides-extra",
]);

/** What a METADATA or PKG-INFO says. */
export interface CoreMetadata {
  /** Fields by their names in lower case with `_` for `-`; those that are empty or unknown are left out. */
  readonly fields: JsonObject;
  /** Cut off at 64 KiB characters. */
  readonly description: string;
  /** Dependencies in an sdist may only be known when it is built (PEP 643). */
  readonly isStatic: boolean;
}

/**
 * Reads core metadata: the headers of RFC 822 as Python's own parser takes them, with the description behind them.
 *
 * @throws {InvalidInputError} when it is too large, or has no name and version.
 */
export function parseCoreMetadata(bytes: Uint8Array): CoreMetadata {
  // Old tools wrote what their locale gave; only words in prose are lost by that.
  const text = new TextDecoder("utf-8").decode(bytes).replaceAll("\r\n", "\n");
  const end = text.indexOf("\n\n");
  const headers = readHeaders(end < 0 ? text : text.slice(0, end));
  const fields: Record<string, JsonObject[string]> = {};
  for (const name of SINGLE) {
    const value = headers.get(name)?.[0]?.trim();
    if (value !== undefined && value !== "" && value !== "UNKNOWN") fields[key(name)] = value;
  }
  for (const name of REPEATED) {
    const values = headers.get(name);
    if (values !== undefined) fields[key(name)] = values.map((value) => value.trim());
  }
  if (JSON.stringify(fields).length > MAX_KEPT_LENGTH) {
    throw badMetadata(`it is longer than ${MAX_KEPT_LENGTH} characters without its description`);
  }
  const body = end < 0 ? "" : text.slice(end + 2);
  const description = body.trim() === "" ? unfold(headers.get("description")?.[0] ?? "") : body;
  return {
    fields,
    description: description.slice(0, MAX_DESCRIPTION_LENGTH),
    isStatic: isStatic(headers),
  };
}

/** A field that stands once; empty when absent. */
export function fieldText(fields: JsonObject, name: string): string {
  const value = property(fields, name);
  return typeof value === "string" ? value : "";
}

/** A field that repeats; empty when absent. */
export function fieldList(fields: JsonObject, name: string): readonly string[] {
  const value = property(fields, name);
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

/** What the archive says it is must be what its file name says. @throws {InvalidInputError} */
export function requireSameRelease(fields: JsonObject, project: string, version: string): void {
  const name = fieldText(fields, "name");
  if (normalize(name) !== project) {
    throw badMetadata(`it is of "${name.slice(0, 80)}", but the file is of "${project}"`);
  }
  const own = fieldText(fields, "version");
  if (readVersion(own) === undefined || compareVersions(own, version) !== 0) {
    throw badMetadata(`it is of version "${own.slice(0, 80)}", but the file is of ${version}`);
  }
}

function readHeaders(text: string): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  let last: string[] | undefined;
  let count = 0;
  for (const line of text.split("\n")) {
    const folded = /^[ \t]/.test(line);
    if (folded && last !== undefined) {
      last.push(`${last.pop() ?? ""}\n${line}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    if (++count > MAX_HEADERS) throw badMetadata(`it has more than ${MAX_HEADERS} lines`);
    const name = line.slice(0, colon).trim().toLowerCase();
    last = headers.get(name) ?? [];
    last.push(line.slice(colon + 1));
    headers.set(name, last);
  }
  return headers;
}

/** A wheel's metadata is always static; an sdist's from version 2.2 on, except for what it calls dynamic. */
function isStatic(headers: ReadonlyMap<string, readonly string[]>): boolean {
  const [version = ""] = headers.get("metadata-version") ?? [];
  const dynamic = headers.get("dynamic") ?? [];
  return (
    compareVersions(version.trim(), "2.2") >= 0 &&
    !dynamic.some((name) => RESOLVED.has(name.trim().toLowerCase()))
  );
}

/** Descriptions in a header have `|` or spaces before each line. */
const unfold = (text: string): string => text.trim().replace(/\n(?: {7}\||[ \t]{1,8})/g, "\n");

const key = (name: string): string => name.replaceAll("-", "_");

const badMetadata = (why: string): InvalidInputError =>
  new InvalidInputError(`The metadata in the distribution cannot be published: ${why}.`, [
    { at: "content", problem: why },
  ]);
