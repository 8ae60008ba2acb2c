import { isJsonObject, type Json, type JsonObject, property } from "../../shared/domain/json.ts";
import type {
  DocumentOrigin,
  ListedFile,
  ListedVersion,
  Listing,
  ListingFormat,
} from "../../shared/services/views/listing.ts";
import { PROVENANCE_CONTENT_TYPE } from "./attestations.ts";
import { METADATA_SUFFIX, PROVENANCE_SUFFIX } from "./names.ts";
import { dateFiles } from "./date-files.ts";
import { filesOn, readPage } from "./read-page.ts";
import { SIMPLE_JSON, V1_HTML_TYPE, V1_JSON_TYPE } from "./render.ts";
import { renderListing } from "./render-listing.ts";
import { readSimpleFile, type SimpleFile } from "./simple-file.ts";
import { identityOf } from "./versions.ts";

/** Every index has HTML; JSON says more. */
const ACCEPT = `${V1_JSON_TYPE}, ${V1_HTML_TYPE};q=0.2, text/html;q=0.01`;
const SIGNATURE_SUFFIX = ".asc";
/** What a page may say of its project, and how often. */
const MAX_LOCATIONS = 100;
const MAX_TEXT_LENGTH = 4096;

/**
 * Project pages of other indexes, in JSON or HTML
 * (https://packaging.python.org/en/latest/specifications/simple-repository-api/). A version's entry is what PEP 691 says
 * of its files; the version of a file is what its name says.
 */
export const PYPI_LISTINGS: ListingFormat = {
  sourceKind: SIMPLE_JSON,
  request: (project) => ({ path: `/${project}/`, headers: { accept: ACCEPT } }),
  parse: parseProject,
  date: dateFiles,
  identity: identityOf,
  withFiles: ({ files: entries, ...rest }, files) => {
    const names = new Set<Json>(files.map(({ path }) => path));
    const kept = (Array.isArray(entries) ? entries : []).filter(
      (entry) => isJsonObject(entry) && names.has(property(entry, "filename") ?? ""),
    );
    return { ...rest, files: kept };
  },
  render: renderListing,
};

/** @throws {SyntaxError} */
function parseProject(body: Uint8Array, from: DocumentOrigin): Listing {
  const page = readPage(body, from);
  const { packageName, url } = from;
  const releases = new Map<string, SimpleFile[]>();
  const seen = new Set<string>();
  for (const one of filesOn(page)) {
    const file = isJsonObject(one) ? readSimpleFile(one, packageName, url) : undefined;
    if (file === undefined || seen.has(file.name.fileName)) continue;
    seen.add(file.name.fileName);
    const release = releases.get(file.name.version) ?? [];
    release.push(file);
    releases.set(file.name.version, release);
  }
  return {
    tags: {},
    versions: [...releases].map(([version, release]) => listedVersion(version, release)),
    about: aboutOf(page),
  };
}

function listedVersion(version: string, release: readonly SimpleFile[]): ListedVersion {
  const times = release.map(({ uploadedAtMs }) => uploadedAtMs).filter((time) => time > 0);
  const reasons = release.map(({ entry }) => property(entry, "yanked"));
  const [reason] = reasons;
  const isYanked = reasons.every((value) => value !== false);
  return {
    version,
    publishedAtMs: times.reduce((a, b) => Math.min(a, b), times[0] ?? 0),
    entry: { files: release.map(({ entry }) => entry) },
    ...(isYanked ? { deprecation: text(reason) || "yanked" } : {}),
    files: release.flatMap(listedFiles),
  };
}

/** A distribution and what lies beside it, all as old as itself. */
function listedFiles(file: SimpleFile): readonly ListedFile[] {
  const { name, url, expected, expectedMetadata, provenanceUrl, uploadedAtMs } = file;
  const path = name.fileName;
  const publishedAtMs = uploadedAtMs;
  const contentType = name.format === "zip" ? "application/zip" : "application/gzip";
  const files: ListedFile[] = [{ path, url, expected, contentType, publishedAtMs }];
  if (expectedMetadata !== undefined) {
    files.push({
      path: path + METADATA_SUFFIX,
      url: beside(url, METADATA_SUFFIX),
      expected: expectedMetadata,
      contentType: "text/plain; charset=utf-8",
      publishedAtMs,
    });
  }
  if (provenanceUrl !== "") {
    files.push({
      path: path + PROVENANCE_SUFFIX,
      url: provenanceUrl,
      expected: {},
      contentType: PROVENANCE_CONTENT_TYPE,
      publishedAtMs,
    });
  }
  if (file.hasSignature) {
    files.push({
      path: path + SIGNATURE_SUFFIX,
      url: beside(url, SIGNATURE_SUFFIX),
      expected: {},
      contentType: "application/pgp-signature",
      publishedAtMs,
    });
  }
  return files;
}

/** PEP 658: at the file's URL with this behind its path. */
function beside(url: string, suffix: string): string {
  const parsed = new URL(url);
  parsed.pathname += suffix;
  return parsed.href;
}

/** PEP 708 and 792. */
function aboutOf(page: JsonObject): JsonObject {
  const { status, reason } = objectOf(property(page, "project-status"));
  return {
    status: text(status).slice(0, 40) || "active",
    reason: text(reason).slice(0, MAX_TEXT_LENGTH),
    tracks: locations(property(objectOf(property(page, "meta")), "tracks")),
    locations: locations(property(page, "alternate-locations")),
  };
}

const locations = (value: Json | undefined): readonly string[] =>
  (isList(value) ? value : [])
    .filter((one): one is string => typeof one === "string" && one.length <= MAX_TEXT_LENGTH)
    .slice(0, MAX_LOCATIONS);

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");
