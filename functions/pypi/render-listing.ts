import { isJsonObject, type Json, type JsonObject, property } from "../../shared/domain/json.ts";
import type { Version } from "../../shared/domain/package.ts";
import { type DocumentScope, latestOf } from "../../shared/services/ecosystem.ts";
import type {
  MergedListing,
  MergedVersion,
  RenderedListing,
} from "../../shared/services/views/listing.ts";
import { fieldText } from "./core-metadata.ts";
import { METADATA_SUFFIX, parseDistributionName } from "./names.ts";
import {
  API_VERSION,
  CLOSE_PAGE,
  HTML_TYPE,
  openPage,
  SIMPLE_HTML,
  SIMPLE_JSON,
  V1_JSON_TYPE,
} from "./render.ts";
import { apiFileObject, releaseInfo } from "./render-json-api.ts";
import { htmlLink } from "./simple-file.ts";
import { fileUrl, provenanceUrl } from "./urls.ts";
import { compareVersions, isPrerelease } from "./versions.ts";

/** Before PEP 700, which asks for the size of every file. */
const UNSIZED_VERSION = "1.0";

/** A project's documents from the pages of other indexes, in the forms that the renderers of own releases write. */
export function renderListing(
  kind: string,
  scope: DocumentScope,
  listing: MergedListing,
): RenderedListing {
  if (kind === SIMPLE_JSON) return renderJson(scope, listing);
  if (kind === SIMPLE_HTML) return renderHtml(scope, listing);
  return renderJsonApi(scope, listing);
}

/** The release's files as the JSON API shows them; its metadata is a listed version's entry. */
export const apiFilesOf = (
  scope: DocumentScope,
  { version, metadata }: Pick<Version, "version" | "metadata">,
): readonly JsonObject[] => entriesOf(metadata).map((entry) => apiFile(scope, version, entry));

/** What the pages tell of a release by itself: its core metadata are in its files. */
export function pageFields(entry: JsonObject): JsonObject {
  const [requires = ""] = entriesOf(entry).map((file) => fieldText(file, "requires-python"));
  return requires === "" ? {} : { requires_python: requires };
}

/** The path of a release's core metadata; `undefined` when it has none apart from its files. */
export function describedBy(entry: JsonObject): string | undefined {
  const file = entriesOf(entry).find((one) => property(one, "core-metadata") !== false);
  return file === undefined ? undefined : fieldText(file, "filename") + METADATA_SUFFIX;
}

function renderJson(scope: DocumentScope, { versions, about }: MergedListing): RenderedListing {
  const files = versions.flatMap((version) => linkedFiles(scope, version));
  const isSized = files.every((file) => property(file, "size") !== undefined);
  const tracks = property(about, "tracks");
  const document: JsonObject = {
    meta: {
      "api-version": isSized ? API_VERSION : UNSIZED_VERSION,
      ...(listOf(tracks).length === 0 ? {} : { tracks: listOf(tracks) }),
    },
    name: scope.packageName,
    versions: versions.map(({ version }) => version).sort(compareVersions),
    files,
    "alternate-locations": listOf(property(about, "locations")),
    "project-status": {
      status: fieldText(about, "status") || "active",
      ...(fieldText(about, "reason") === "" ? {} : { reason: fieldText(about, "reason") }),
    },
  };
  return { contentType: V1_JSON_TYPE, text: JSON.stringify(document) };
}

function renderHtml(scope: DocumentScope, { versions, about }: MergedListing): RenderedListing {
  const reason = fieldText(about, "reason");
  const metas: readonly (readonly [string, string])[] = [
    ["project-status", fieldText(about, "status") || "active"],
    ...(reason === "" ? [] : [["project-status-reason", reason] as const]),
    ...metasOf("tracks", property(about, "tracks")),
    ...metasOf("alternate-locations", property(about, "locations")),
  ];
  const links = versions.flatMap((version) => linkedFiles(scope, version)).map(htmlLink);
  const text = openPage(`Links for ${scope.packageName}`, metas) + links.join("\n") + CLOSE_PAGE;
  return { contentType: HTML_TYPE, text };
}

/** As `JSON_API_RENDERER` stores it; see there. */
function renderJsonApi(scope: DocumentScope, { versions }: MergedListing): RenderedListing {
  const files = versions.flatMap(({ version, entry }) =>
    apiFilesOf(scope, { version, metadata: entry }).map((file) => ({ version, ...file })),
  );
  const kept = versions.filter(({ deprecation = "" }) => deprecation === "");
  const latest = (kept.length === 0 ? versions : kept).reduce<MergedVersion | undefined>(
    (best, version) =>
      latestOf(ORDER, best?.version ?? "", version.version) === version.version ? version : best,
    undefined,
  );
  const info =
    latest === undefined
      ? {}
      : releaseInfo(
          scope,
          {
            version: latest.version,
            metadata: { fields: pageFields(latest.entry) },
            deprecation: latest.deprecation ?? "",
          },
          "",
        );
  return { contentType: "application/json", text: JSON.stringify({ files, info }) };
}

const ORDER = { compareVersions, isPrerelease };

/** The files of a release with links to here. */
const linkedFiles = (scope: DocumentScope, version: MergedVersion): readonly JsonObject[] =>
  entriesOf(version.entry).map((entry) => {
    const { registry, packageName, baseUrl } = scope;
    const args = [
      registry.slug,
      packageName,
      version.version,
      fieldText(entry, "filename"),
    ] as const;
    const hasProvenance = property(entry, "provenance") !== null;
    return {
      ...entry,
      url: baseUrl + fileUrl(...args),
      provenance: hasProvenance ? baseUrl + provenanceUrl(...args) : null,
    };
  });

function apiFile(scope: DocumentScope, version: string, entry: JsonObject): JsonObject {
  const { registry, packageName, baseUrl } = scope;
  const fileName = fieldText(entry, "filename");
  const hashes = property(entry, "hashes");
  const size = property(entry, "size");
  const yanked = property(entry, "yanked");
  return apiFileObject({
    name: parseDistributionName(fileName, packageName),
    url: baseUrl + fileUrl(registry.slug, packageName, version, fileName),
    digests: Object.fromEntries(
      Object.entries(isJsonObject(hashes) ? hashes : {}).filter(
        (pair): pair is [string, string] => typeof pair[1] === "string",
      ),
    ),
    requiresPython: fieldText(entry, "requires-python"),
    sizeBytes: typeof size === "number" ? size : null,
    uploadedAt: fieldText(entry, "upload-time"),
    yanked: typeof yanked === "string" ? yanked : yanked === true,
  });
}

const entriesOf = (entry: JsonObject): readonly JsonObject[] =>
  listOf(property(entry, "files")).filter(isJsonObject);

const metasOf = (name: string, values: Json | undefined): readonly (readonly [string, string])[] =>
  listOf(values).flatMap((value) => (typeof value === "string" ? [[name, value] as const] : []));

const listOf = (value: Json | undefined): readonly Json[] => (isList(value) ? value : []);

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
