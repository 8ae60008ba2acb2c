import { type Json, type JsonObject, parseJsonObject, property } from "../../shared/domain/json.ts";
import {
  ACTIVE_STANDING,
  type PackageStanding,
  type Version,
} from "../../shared/domain/package.ts";
import type {
  ClosingChange,
  DocumentRenderer,
  DocumentScope,
  DocumentView,
} from "../../shared/services/ecosystem.ts";
import { filesOf, type ReleaseFile, yankedReason } from "./release.ts";
import { escapeHtml, htmlLink } from "./simple-file.ts";
import { fileUrl, provenanceUrl } from "./urls.ts";
import { compareVersions } from "./versions.ts";

/** Kinds of the documents of the simple API. */
export const SIMPLE_HTML = "simple-html";
export const SIMPLE_JSON = "simple-json";
export const HTML_TYPE = "text/html; charset=utf-8";
export const V1_HTML_TYPE = "application/vnd.pypi.simple.v1+html";
export const V1_JSON_TYPE = "application/vnd.pypi.simple.v1+json";
/** https://packaging.python.org/en/latest/specifications/simple-repository-api/#history: 1.4 has the status of projects. */
export const API_VERSION = "1.4";

/** A project's page as JSON (PEP 691, 700, 708, 714, 740, 792). */
export const SIMPLE_JSON_RENDERER: DocumentRenderer = {
  kind: SIMPLE_JSON,
  contentType: V1_JSON_TYPE,
  separator: ",",
  opening: () => '{"files":[',
  entry: (scope, version) =>
    filesOf(version)
      .map((file) => JSON.stringify(jsonFile(scope, version, file)))
      .join(","),
  closing: (view, previous, change) =>
    `],${JSON.stringify({
      meta: {
        "_last-serial": view.package.revision,
        "api-version": API_VERSION,
        ...(standingOf(view).tracks.length === 0 ? {} : { tracks: standingOf(view).tracks }),
      },
      name: view.packageName,
      versions: versionsAfter(previous, change),
      "alternate-locations": standingOf(view).alternateLocations,
      "project-status": projectStatus(standingOf(view)),
    }).slice(1)}`,
};

/** A project's page as HTML (PEP 503 with the attributes of 592, 658, 714 and 740). */
export const SIMPLE_HTML_RENDERER: DocumentRenderer = {
  kind: SIMPLE_HTML,
  contentType: HTML_TYPE,
  separator: "\n",
  opening: (view) => openPage(`Links for ${view.packageName}`, standingMetas(standingOf(view))),
  entry: (scope, version) =>
    filesOf(version)
      .map((file) => htmlLink(jsonFile(scope, version, file)))
      .join("\n"),
  closing: (view) => CLOSE_PAGE + serialComment(view.package.revision),
};

const standingOf = (view: DocumentView): PackageStanding =>
  view.package.standing ?? ACTIVE_STANDING;

/** PEP 792. */
const projectStatus = ({ status, reason }: PackageStanding): JsonObject =>
  reason === "" ? { status } : { status, reason };

/** PEP 792 and 708 in HTML. */
function standingMetas(standing: PackageStanding): readonly (readonly [string, string])[] {
  const { status, reason, tracks, alternateLocations } = standing;
  return [
    ["project-status", status],
    ...(reason === "" ? [] : [["project-status-reason", reason] as const]),
    ...tracks.map((url) => ["tracks", url] as const),
    ...alternateLocations.map((url) => ["alternate-locations", url] as const),
  ];
}

/** The head of a page of the simple API, up to its links; `metas` are names without `pypi:`, and contents. */
export function openPage(title: string, metas: readonly (readonly [string, string])[]): string {
  const all = [["repository-version", API_VERSION] as const, ...metas];
  return [
    "<!DOCTYPE html>",
    "<html>",
    "<head>",
    ...all.map(([name, content]) => `<meta name="pypi:${name}" content="${escapeHtml(content)}">`),
    `<title>${escapeHtml(title)}</title>`,
    "</head>",
    "<body>",
    `<h1>${escapeHtml(title)}</h1>`,
    "",
  ].join("\n");
}

export const CLOSE_PAGE = "\n</body>\n</html>\n";

/** Behind a page, where mirrors look for it as on the public index. */
export const serialComment = (serial: number): string => `<!--SERIAL ${serial}-->\n`;

function jsonFile(scope: DocumentScope, version: Version, file: ReleaseFile): JsonObject {
  const metadata = file.metadataSha256 === "" ? false : { sha256: file.metadataSha256 };
  const { provenance, url } = linksOf(scope, version, file);
  return {
    filename: file.fileName,
    url,
    hashes: { sha256: file.sha256 },
    "requires-python": file.requiresPython === "" ? null : file.requiresPython,
    size: file.sizeBytes,
    "upload-time": new Date(file.uploadedAtMs).toISOString(),
    yanked: yankedReason(version, file) || false,
    "core-metadata": metadata,
    "data-dist-info-metadata": metadata,
    provenance: provenance === "" ? null : provenance,
  };
}

/** Links are absolute: a document that leaves by redirect has another base. `provenance` is empty without one. */
function linksOf(
  { registry, packageName, baseUrl }: DocumentScope,
  version: Version,
  file: ReleaseFile,
) {
  const args = [registry.slug, packageName, version.version, file.fileName] as const;
  return {
    url: baseUrl + fileUrl(...args),
    provenance: file.hasProvenance ? baseUrl + provenanceUrl(...args) : "",
  };
}

function versionsAfter(previous: string | undefined, change: ClosingChange): readonly Json[] {
  const known =
    previous === undefined || change.kind === "rebuild"
      ? []
      : property(parseJsonObject(`{${previous.slice("],".length)}`), "versions");
  const names = Array.isArray(known) ? known.filter((name) => typeof name === "string") : [];
  const added =
    change.kind === "rebuild"
      ? change.versions.map(({ version }) => version)
      : change.kind === "append"
        ? [change.version.version]
        : [];
  return [...new Set([...names, ...added])].sort(compareVersions);
}
