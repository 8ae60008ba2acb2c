import { DIGEST_HEX_LENGTH, type Digests, isDigest } from "../../shared/domain/digest.ts";
import { isJsonObject, type Json, type JsonObject, property } from "../../shared/domain/json.ts";
import { InvalidInputError } from "../../shared/errors.ts";
import { type DistributionName, parseDistributionName } from "./names.ts";

const MAX_URL_LENGTH = 4096;
const MAX_REQUIRES_PYTHON_LENGTH = 1000;
const MAX_REASON_LENGTH = 10_000;
const MAX_HASHES = 16;

/** A distribution as a page of the simple API lists it. */
export interface SimpleFile {
  readonly name: DistributionName;
  /** Absolute, without a fragment. */
  readonly url: string;
  /** Absolute; empty without. */
  readonly provenanceUrl: string;
  /** The digests by which its bytes are known; none when the page gives none that we can compute. */
  readonly expected: Partial<Digests>;
  /** Of its core metadata, which is at `<url>.metadata`; `undefined` when that is not served. */
  readonly expectedMetadata: Partial<Digests> | undefined;
  readonly hasSignature: boolean;
  /** Unix milliseconds; 0 when the page does not say. */
  readonly uploadedAtMs: number;
  /** What PEP 691 says of it, without the links: those are each registry's own. */
  readonly entry: JsonObject;
}

/**
 * Reads a file's object of PEP 691; `baseUrl` is where relative links begin. `undefined` for what is no wheel or sdist of
 * this project, or cannot be fetched, or has a digest that can be none.
 *
 * https://packaging.python.org/en/latest/specifications/simple-repository-api/#project-detail
 */
export function readSimpleFile(
  file: JsonObject,
  project: string,
  baseUrl: string,
): SimpleFile | undefined {
  const name = distributionName(property(file, "filename"), project);
  const url = absolute(property(file, "url"), baseUrl);
  const hashes = readHashes(property(file, "hashes"));
  if (name === undefined || url === "" || hashes === undefined) return undefined;
  const provenanceUrl = absolute(property(file, "provenance"), baseUrl);
  const metadata = readCoreMetadata(file);
  const uploaded = text(property(file, "upload-time"), 40);
  const uploadedAtMs = Date.parse(uploaded);
  const requires = text(property(file, "requires-python"), MAX_REQUIRES_PYTHON_LENGTH);
  const size = property(file, "size");
  const isSized = typeof size === "number" && Number.isSafeInteger(size) && size >= 0;
  const signed = property(file, "gpg-sig");
  return {
    name,
    url,
    provenanceUrl,
    expected: expectedOf(hashes),
    expectedMetadata:
      metadata === false ? undefined : expectedOf(metadata === true ? {} : metadata),
    hasSignature: signed === true,
    uploadedAtMs: Number.isNaN(uploadedAtMs) ? 0 : Math.max(0, uploadedAtMs),
    entry: {
      filename: name.fileName,
      hashes,
      "requires-python": requires === "" ? null : requires,
      ...(isSized ? { size } : {}),
      ...(Number.isNaN(uploadedAtMs) ? {} : { "upload-time": uploaded }),
      yanked: readYanked(property(file, "yanked")),
      "core-metadata": metadata,
      "data-dist-info-metadata": metadata,
      provenance: provenanceUrl === "" ? null : provenanceUrl,
      ...(typeof signed === "boolean" ? { "gpg-sig": signed } : {}),
    },
  };
}

/** A file's link on a page in HTML, from its object of PEP 691. */
export function htmlLink(file: JsonObject): string {
  const hashes = objectOf(property(file, "hashes"));
  const algorithm = LINK_ALGORITHMS.find((name) => property(hashes, name) !== undefined);
  const [name = "", digest = ""] =
    algorithm === undefined
      ? (Object.entries(hashes)[0] ?? [])
      : [algorithm, property(hashes, algorithm)];
  const fragment = name === "" ? "" : `#${name}=${text(digest, 256)}`;
  const metadata = property(file, "core-metadata");
  const metadataValue = metadata === true ? "true" : firstHash(objectOf(metadata));
  const yanked = property(file, "yanked");
  const signed = property(file, "gpg-sig");
  const attributes: readonly (readonly [string, string, boolean])[] = [
    ["href", text(property(file, "url")) + fragment, true],
    ...optional("data-requires-python", text(property(file, "requires-python"))),
    ...optional("data-dist-info-metadata", metadataValue),
    ...optional("data-core-metadata", metadataValue),
    ...optional("data-provenance", text(property(file, "provenance"))),
    ["data-yanked", text(yanked), yanked === true || text(yanked) !== ""],
    ["data-gpg-sig", signed === true ? "true" : "false", typeof signed === "boolean"],
  ];
  const written = attributes
    .filter(([, , isThere]) => isThere)
    .map(([attribute, value]) => `${attribute}="${escapeHtml(value)}"`)
    .join(" ");
  return `<a ${written}>${escapeHtml(text(property(file, "filename")))}</a><br />`;
}

/** For text and for attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** A link has one digest: the strongest that every client knows. */
const LINK_ALGORITHMS = ["sha256", "sha512", "sha384", "sha224", "sha1", "md5"] as const;
const VERIFIED = ["sha256", "sha512", "sha1", "md5"] as const;

const optional = (name: string, value: string): readonly (readonly [string, string, boolean])[] => [
  [name, value, value !== ""],
];

function firstHash(hashes: JsonObject): string {
  const [name, digest] = Object.entries(hashes)[0] ?? [];
  return name === undefined ? "" : `${name}=${text(digest, 256)}`;
}

function distributionName(
  fileName: Json | undefined,
  project: string,
): DistributionName | undefined {
  if (typeof fileName !== "string") return undefined;
  try {
    return parseDistributionName(fileName, project);
  } catch (error) {
    // Eggs, installers, and versions older than PEP 440.
    if (error instanceof InvalidInputError) return undefined;
    throw error;
  }
}

/** Empty for what is no URL of the web. */
function absolute(link: Json | undefined, baseUrl: string): string {
  if (typeof link !== "string" || link === "" || link.length > MAX_URL_LENGTH) return "";
  const url = URL.parse(link, baseUrl);
  if (url === null || !/^https?:$/.test(url.protocol)) return "";
  url.hash = "";
  return url.href;
}

/** `undefined` when one that we verify by can be no digest. */
function readHashes(hashes: Json | undefined): Readonly<Record<string, string>> | undefined {
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(objectOf(hashes)).slice(0, MAX_HASHES)) {
    if (!/^[a-z][a-z0-9_]{1,19}$/.test(name)) continue;
    const digest = text(value, 256).toLowerCase();
    const known = VERIFIED.find((algorithm) => algorithm === name);
    if (known === undefined ? !/^[0-9a-f]{8,256}$/.test(digest) : !isDigest(known, digest)) {
      return undefined;
    }
    read[name] = digest;
  }
  return read;
}

function expectedOf(hashes: Readonly<Record<string, string>>): Partial<Digests> {
  return Object.fromEntries(
    VERIFIED.flatMap((name) => {
      const digest = hashes[name];
      return digest?.length === DIGEST_HEX_LENGTH[name] ? [[name, digest] as const] : [];
    }),
  );
}

/** Under the name of PEP 714, or those from before it. */
function readCoreMetadata(file: JsonObject): boolean | Readonly<Record<string, string>> {
  const value =
    property(file, "core-metadata") ??
    property(file, "dist-info-metadata") ??
    property(file, "data-dist-info-metadata");
  if (typeof value === "boolean") return value;
  if (!isJsonObject(value)) return false;
  const hashes = readHashes(value) ?? {};
  return Object.keys(hashes).length === 0 ? false : hashes;
}

/** PEP 592: a reason, or that there is none. */
function readYanked(value: Json | undefined): boolean | string {
  return typeof value === "string" && value !== ""
    ? value.slice(0, MAX_REASON_LENGTH)
    : value === true;
}

/** Of strings that are no longer; empty for everything else. */
const text = (value: Json | undefined, maxLength = Number.POSITIVE_INFINITY): string =>
  typeof value === "string" && value.length <= maxLength ? value : "";

const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
