import {
  isJsonObject,
  type Json,
  type JsonObject,
  parseJsonObject,
  property,
} from "../../shared/domain/json.ts";
import { isQuarantined, type Version } from "../../shared/domain/package.ts";
import type {
  ClosingChange,
  DocumentRenderer,
  DocumentScope,
  DocumentView,
} from "../../shared/services/ecosystem.ts";
import { fieldList, fieldText } from "./core-metadata.ts";
import { fieldsOf, filesOf, type ReleaseFile, yankedReason } from "./release.ts";
import { fileUrl } from "./urls.ts";
import { compareVersions } from "./versions.ts";

/** Kind of the document behind `/pypi/<name>/json`. */
export const JSON_API = "json-api";

/**
 * What the JSON API (https://docs.pypi.org/api/json/) tells of a project, with its files as a list in the order of
 * upload: files join a release for as long as it lives, and an object of releases could not grow at its end.
 * {@link renderProject} sorts them into releases.
 */
export const JSON_API_RENDERER: DocumentRenderer = {
  kind: JSON_API,
  contentType: "application/json",
  separator: ",",
  opening: () => '{"files":[',
  entry: (scope, version) =>
    filesOf(version)
      .map((file) => JSON.stringify({ version: version.version, ...apiFile(scope, version, file) }))
      .join(","),
  closing: (view, previous, change) =>
    `],${JSON.stringify({
      info: projectInfo(view, previous, change),
      last_serial: view.package.revision,
    }).slice(1)}`,
};

/** The answer of `/pypi/<name>/json` from the stored document's text; `undefined` of a project in quarantine. */
export function renderProject(text: string): JsonObject | undefined {
  const document = parseJsonObject(text);
  const info = property(document, "info");
  if (info === undefined || !isJsonObject(info)) return undefined;
  const latest = property(info, "version");
  const releases = new Map<string, JsonObject[]>();
  const files = property(document, "files");
  for (const entry of Array.isArray(files) ? files : []) {
    if (!isJsonObject(entry)) continue;
    const { version, ...file } = entry;
    if (typeof version !== "string") continue;
    const release = releases.get(version) ?? [];
    release.push(file);
    releases.set(version, release);
  }
  const sorted = [...releases].sort(([a], [b]) => compareVersions(a, b));
  return {
    info,
    last_serial: property(document, "last_serial") ?? 0,
    releases: Object.fromEntries(sorted),
    urls: (typeof latest === "string" ? releases.get(latest) : undefined) ?? [],
    vulnerabilities: [],
  };
}

/** The answer of `/pypi/<name>/<version>/json`. */
export function renderRelease(
  scope: DocumentScope,
  version: Version,
  more: { readonly description: string; readonly serial: number },
): JsonObject {
  return {
    info: releaseInfo(scope, version, more.description),
    last_serial: more.serial,
    urls: filesOf(version).map((file) => apiFile(scope, version, file)),
    vulnerabilities: [],
  };
}

/** `info` is that of the latest version, its description the project's README; `null` in quarantine. */
function projectInfo(
  view: DocumentView,
  previous: string | undefined,
  change: ClosingChange,
): Json {
  if (isQuarantined(view.package)) return null;
  const before =
    previous === undefined
      ? undefined
      : property(parseJsonObject(`{${previous.slice("],".length)}`), "info");
  const known = before !== undefined && isJsonObject(before) ? before : {};
  const changed: readonly Version[] =
    change.kind === "rebuild" ? change.versions : change.kind === "append" ? [change.version] : [];
  const latest = changed.find(({ version }) => version === view.package.latestVersion);
  if (latest === undefined) return known;
  // Of another file of the same release, which may describe nothing.
  const knownDescription =
    fieldText(known, "version") === latest.version ? fieldText(known, "description") : "";
  return releaseInfo(view, latest, view.readme || knownDescription);
}

/** `info` of one release. */
export function releaseInfo(
  { packageName, registry, baseUrl }: DocumentScope,
  version: Pick<Version, "version" | "metadata" | "deprecation">,
  description: string,
): JsonObject {
  const fields = fieldsOf(version.metadata);
  const text = (name: string): string => fieldText(fields, name);
  const orNull = (name: string): string | null => text(name) || null;
  const listOrNull = (name: string): readonly string[] | null => {
    const list = fieldList(fields, name);
    return list.length === 0 ? null : list;
  };
  const yanked = yankedReason(version);
  const page = `${baseUrl}/pypi/${registry.slug}/simple/${packageName}/`;
  return {
    author: text("author"),
    author_email: text("author_email"),
    classifiers: fieldList(fields, "classifier"),
    description,
    description_content_type: orNull("description_content_type"),
    download_url: orNull("download_url"),
    dynamic: listOrNull("dynamic"),
    home_page: text("home_page"),
    keywords: orNull("keywords"),
    license: orNull("license"),
    license_expression: orNull("license_expression"),
    license_files: listOrNull("license_file"),
    maintainer: text("maintainer"),
    maintainer_email: text("maintainer_email"),
    name: text("name") || packageName,
    package_url: page,
    platform: orNull("platform"),
    project_url: page,
    project_urls: projectUrls(fieldList(fields, "project_url")),
    provides_extra: listOrNull("provides_extra"),
    release_url: page,
    requires_dist: listOrNull("requires_dist"),
    requires_python: orNull("requires_python"),
    summary: text("summary"),
    version: version.version,
    yanked: yanked !== "",
    yanked_reason: yanked === "" ? null : yanked,
  };
}

function apiFile(scope: DocumentScope, version: Version, file: ReleaseFile): JsonObject {
  const { registry, packageName, baseUrl } = scope;
  const { md5, sha256, blake2b256 } = file;
  return apiFileObject({
    name: file,
    url: baseUrl + fileUrl(registry.slug, packageName, version.version, file.fileName),
    digests: { ...(blake2b256 === "" ? {} : { blake2b_256: blake2b256 }), md5, sha256 },
    requiresPython: file.requiresPython,
    sizeBytes: file.sizeBytes,
    uploadedAt: new Date(file.uploadedAtMs).toISOString(),
    yanked: yankedReason(version, file) || false,
  });
}

/** A file as the JSON API shows it. */
export interface ApiFile {
  readonly name: Pick<ReleaseFile, "fileName" | "kind" | "pythonVersion">;
  readonly url: string;
  readonly digests: Readonly<Record<string, string>>;
  readonly requiresPython: string;
  /** `null` when its registry does not say. */
  readonly sizeBytes: number | null;
  /** ISO 8601; empty when its registry does not say. */
  readonly uploadedAt: string;
  /** The reason, or that there is none. */
  readonly yanked: boolean | string;
}

export function apiFileObject(file: ApiFile): JsonObject {
  const { name, digests, requiresPython, uploadedAt, yanked } = file;
  return {
    comment_text: "",
    digests,
    downloads: -1,
    filename: name.fileName,
    has_sig: false,
    md5_digest: digests["md5"] ?? null,
    packagetype: name.kind === "wheel" ? "bdist_wheel" : "sdist",
    python_version: name.pythonVersion,
    requires_python: requiresPython === "" ? null : requiresPython,
    size: file.sizeBytes,
    upload_time: uploadedAt === "" ? null : uploadedAt.slice(0, 19),
    upload_time_iso_8601: uploadedAt === "" ? null : uploadedAt,
    url: file.url,
    yanked: yanked !== false,
    yanked_reason: typeof yanked === "string" ? yanked : null,
  };
}

/** `Label, URL` of each. */
function projectUrls(urls: readonly string[]): JsonObject | null {
  const pairs = urls.flatMap((url): (readonly [string, string])[] => {
    const comma = url.indexOf(",");
    return comma < 0 ? [] : [[url.slice(0, comma).trim(), url.slice(comma + 1).trim()]];
  });
  return pairs.length === 0 ? null : Object.fromEntries(pairs);
}
