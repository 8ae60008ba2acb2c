import {
  isJsonObject,
  type Json,
  type JsonObject,
  parseJsonObject,
  property,
} from "../../shared/domain/json.ts";
import type { Version } from "../../shared/domain/package.ts";
import type {
  ClosingChange,
  DocumentRenderer,
  DocumentScope,
  DocumentView,
} from "../../shared/services/ecosystem.ts";
import { attestationsUrl, tarballUrl } from "./names.ts";

/** Kinds of the two documents that a package has. */
export const FULL = "full";
export const ABBREVIATED = "abbreviated";
export const ABBREVIATED_TYPE = "application/vnd.npm.install-v1+json";

/** https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md#abbreviated-version-object */
const ABBREVIATED_FIELDS = [
  "name",
  "version",
  "dependencies",
  "optionalDependencies",
  "devDependencies",
  "bundleDependencies",
  "bundledDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
  "acceptDependencies",
  "bin",
  "directories",
  "engines",
  "os",
  "cpu",
  "libc",
  "funding",
  "_hasShrinkwrap",
  "hasInstallScript",
] as const;

/** What a packument repeats of its latest version at the top. */
const LATEST_FIELDS = [
  "description",
  "keywords",
  "author",
  "contributors",
  "license",
  "homepage",
  "repository",
  "bugs",
] as const;

const MAX_MAINTAINERS = 50;

/** The packument with everything there is to know. */
export const FULL_RENDERER: DocumentRenderer = {
  kind: FULL,
  contentType: "application/json",
  separator: ",",
  opening: () => '{"versions":{',
  entry: (scope, version) => entry(version.version, renderVersion(scope, version)),
  closing: (view, previous, change) => closing(fullHead(view, parseClosing(previous), change)),
};

/** The packument that installs need: a fraction of the full one. */
export const ABBREVIATED_RENDERER: DocumentRenderer = {
  kind: ABBREVIATED,
  contentType: ABBREVIATED_TYPE,
  separator: ",",
  opening: () => '{"versions":{',
  entry: (scope, version) => entry(version.version, abbreviate(renderVersion(scope, version))),
  closing: (view) =>
    closing({
      name: view.packageName,
      "dist-tags": distTags(view),
      modified: iso(view.package.updatedAtMs),
    }),
};

/** One version as clients see it. */
export function renderVersion(scope: DocumentScope, version: Version): JsonObject {
  const stored = property(version.metadata, "dist");
  return {
    ...version.metadata,
    ...(version.deprecation === "" ? {} : { deprecated: version.deprecation }),
    dist: linkedDist(scope, version.version, isJsonObject(stored) ? stored : {}),
    // What another registry says of its publisher is kept; of our own publishers only the token is believed.
    ...(version.origin === undefined ? { _npmUser: maintainer(version.publishedBy) } : {}),
  };
}

/** `dist` with the links of the registry that shows it, whatever registry it is from. */
export function linkedDist(
  { registry, packageName, baseUrl }: DocumentScope,
  version: string,
  dist: JsonObject,
): JsonObject {
  const attestations = property(dist, "attestations");
  const url = attestationsUrl(baseUrl, registry.slug, packageName, version);
  return {
    ...dist,
    tarball: tarballUrl(baseUrl, registry.slug, packageName, version),
    ...(isJsonObject(attestations) ? { attestations: { ...attestations, url } } : {}),
  };
}

/** The names of the tags with their versions. */
export function distTags(view: Pick<DocumentView, "tags">): JsonObject {
  return Object.fromEntries(view.tags.map(({ name, version }) => [name, version]));
}

/** People and machines are known by the owners of their tokens; npm's clients want an email beside the name. */
export function maintainer(name: string): JsonObject {
  return { name, email: name.includes("@") ? name : "" };
}

/** The fields of a manifest that installs need. */
export function abbreviate(manifest: JsonObject): JsonObject {
  const fields: readonly string[] = [...ABBREVIATED_FIELDS, "dist", "deprecated"];
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = property(manifest, field);
      return value === undefined ? [] : [[field, value]];
    }),
  );
}

function fullHead(view: DocumentView, previous: JsonObject, change: ClosingChange): JsonObject {
  const { package: pkg, packageName, tags, readme } = view;
  const latest = tags.find(({ name }) => name === "latest")?.version;
  const described = versionsOf(change).find(({ version }) => version === latest);
  const source = described === undefined ? previous : described.metadata;
  return {
    _id: packageName,
    // CouchDB's form; `npm unpublish` and `npm deprecate` send it back, which tells us what they had seen.
    _rev: `${pkg.revision}-0`,
    name: packageName,
    ...Object.fromEntries(
      LATEST_FIELDS.flatMap((field) => {
        const value = property(source, field);
        return value === undefined ? [] : [[field, value]];
      }),
    ),
    "dist-tags": distTags(view),
    maintainers: maintainers(previous, change),
    time: times(view, previous, change),
    readme: readme ?? property(previous, "readme") ?? "",
  };
}

function times(view: DocumentView, previous: JsonObject, change: ClosingChange): JsonObject {
  const { createdAtMs, updatedAtMs } = view.package;
  const known = property(previous, "time");
  const kept = change.kind === "rebuild" || !isJsonObject(known) ? {} : known;
  return {
    ...kept,
    created: iso(createdAtMs),
    modified: iso(updatedAtMs),
    ...Object.fromEntries(
      versionsOf(change).map(({ version, publishedAtMs }) => [version, iso(publishedAtMs)]),
    ),
  };
}

/** Everybody who has published one of the versions. */
function maintainers(previous: JsonObject, change: ClosingChange): readonly Json[] {
  const known = property(previous, "maintainers");
  const kept = change.kind !== "rebuild" && Array.isArray(known) ? known : [];
  const names = kept.flatMap((one: unknown) => {
    const name = isJsonObject(one) ? property(one, "name") : undefined;
    return typeof name === "string" ? [name] : [];
  });
  const all = new Set([...names, ...versionsOf(change).map(({ publishedBy }) => publishedBy)]);
  return [...all].slice(0, MAX_MAINTAINERS).map(maintainer);
}

function versionsOf(change: ClosingChange): readonly Version[] {
  if (change.kind === "append") return [change.version];
  return change.kind === "rebuild" ? change.versions : [];
}

const entry = (version: string, manifest: JsonObject): string =>
  `${JSON.stringify(version)}:${JSON.stringify(manifest)}`;

/** The head stands at the end, behind the versions, where it can be replaced without touching them. */
const closing = (head: JsonObject): string => `},${JSON.stringify(head).slice(1)}`;

function parseClosing(previous: string | undefined): JsonObject {
  return previous === undefined ? {} : parseJsonObject(`{${previous.slice("},".length)}`);
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
