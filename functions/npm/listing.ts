import { isDigest } from "../../shared/domain/digest.ts";
import {
  isJsonObject,
  type Json,
  type JsonObject,
  parseJsonObject,
  property,
} from "../../shared/domain/json.ts";
import type { DocumentScope } from "../../shared/services/ecosystem.ts";
import type {
  ListedFile,
  ListedVersion,
  Listing,
  ListingFormat,
  MergedListing,
  RenderedListing,
} from "../../shared/services/views/listing.ts";
import { isVersion, parseTag, tarballName } from "./names.ts";
import { ABBREVIATED, ABBREVIATED_TYPE, abbreviate, FULL, linkedDist } from "./render.ts";

/** What a packument says of single versions or of tags, or depends on the registry it came from. */
const NOT_ABOUT: ReadonlySet<string> = new Set([
  "_id",
  "_rev",
  "_attachments",
  "_revisions",
  "name",
  "versions",
  "dist-tags",
  "time",
]);

/**
 * Packuments of other registries. Always the full one: only it has the times of publication.
 * https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
 */
export const NPM_LISTINGS: ListingFormat = {
  sourceKind: FULL,
  request: (packageName) => ({
    // A scope's slash must be encoded; its @ may stay, which is how npm's own clients ask.
    path: `/${packageName.replace("/", "%2f")}`,
    headers: { accept: "application/json" },
  }),
  parse: (body, { packageName }) => parsePackument(body, packageName),
  render: (kind, scope, listing) =>
    kind === ABBREVIATED ? renderAbbreviated(scope, listing) : renderFull(scope, listing),
};

function parsePackument(body: Uint8Array, packageName: string): Listing {
  const packument = parseJsonObject(Buffer.from(body).toString("utf8"));
  if (property(packument, "name") !== packageName) {
    throw new SyntaxError(`it is no packument of ${packageName}`);
  }
  const manifests = objectOf(property(packument, "versions"));
  const times = objectOf(property(packument, "time"));
  const versions = Object.entries(manifests).flatMap(([version, manifest]) =>
    isVersion(version) && isJsonObject(manifest)
      ? [listedVersion(packageName, version, manifest, property(times, version))]
      : [],
  );
  const known = new Set(versions.map(({ version }) => version));
  const tags = Object.entries(objectOf(property(packument, "dist-tags"))).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === "string" && known.has(entry[1]) && isTag(entry[0]),
  );
  const about = Object.entries(packument).filter(([name]) => !NOT_ABOUT.has(name));
  return {
    versions,
    tags: Object.fromEntries(tags),
    about: {
      ...Object.fromEntries(about),
      ...text("created", property(times, "created")),
      ...text("modified", property(times, "modified")),
    },
  };
}

function listedVersion(
  packageName: string,
  version: string,
  manifest: JsonObject,
  time: Json | undefined,
): ListedVersion {
  const deprecated = property(manifest, "deprecated");
  const publishedAtMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return {
    version,
    publishedAtMs: Number.isNaN(publishedAtMs) ? 0 : publishedAtMs,
    entry: manifest,
    ...(typeof deprecated === "string" && deprecated !== "" ? { deprecation: deprecated } : {}),
    files: tarballOf(packageName, version, objectOf(property(manifest, "dist"))),
  };
}

/** None when the document gives nothing by which the bytes can be known. */
function tarballOf(packageName: string, version: string, dist: JsonObject): readonly ListedFile[] {
  const url = property(dist, "tarball");
  const sha512 = sha512In(property(dist, "integrity"));
  const shasum = property(dist, "shasum");
  const sha1 = typeof shasum === "string" ? shasum.toLowerCase() : "";
  const expected = {
    ...(sha512 === undefined ? {} : { sha512 }),
    ...(isDigest("sha1", sha1) ? { sha1 } : {}),
  };
  if (typeof url !== "string" || !URL.canParse(url) || Object.keys(expected).length === 0)
    return [];
  return [
    {
      path: tarballName(packageName, version),
      url,
      expected,
      contentType: "application/octet-stream",
    },
  ];
}

/** https://www.w3.org/TR/SRI/#grammardef-integrity-metadata: words divided by spaces. */
function sha512In(integrity: Json | undefined): string | undefined {
  if (typeof integrity !== "string") return undefined;
  const word = integrity.split(/\s+/).find((candidate) => candidate.startsWith("sha512-"));
  const base64 = word?.slice("sha512-".length).split("?", 1)[0] ?? "";
  const hex = Buffer.from(base64, "base64").toString("hex");
  return isDigest("sha512", hex) ? hex : undefined;
}

function renderFull(scope: DocumentScope, listing: MergedListing): RenderedListing {
  const { packageName } = scope;
  const { created, modified, ...about } = listing.about;
  const times = listing.versions.flatMap(({ version, publishedAtMs }) =>
    publishedAtMs === 0 ? [] : [[version, new Date(publishedAtMs).toISOString()] as const],
  );
  const document: JsonObject = {
    _id: packageName,
    name: packageName,
    "dist-tags": listing.tags,
    versions: versionsOf(scope, listing, (manifest) => manifest),
    time: {
      ...text("created", created),
      ...text("modified", modified),
      ...Object.fromEntries(times),
    },
    ...about,
  };
  return { contentType: "application/json", text: JSON.stringify(document) };
}

function renderAbbreviated(scope: DocumentScope, listing: MergedListing): RenderedListing {
  const document: JsonObject = {
    name: scope.packageName,
    "dist-tags": listing.tags,
    ...text("modified", property(listing.about, "modified")),
    versions: versionsOf(scope, listing, abbreviate),
  };
  return { contentType: ABBREVIATED_TYPE, text: JSON.stringify(document) };
}

function versionsOf(
  scope: DocumentScope,
  { versions }: MergedListing,
  shape: (manifest: JsonObject) => JsonObject,
): JsonObject {
  return Object.fromEntries(
    versions.map(({ version, entry }) => {
      const dist = linkedDist(scope, version, objectOf(property(entry, "dist")));
      return [version, shape({ ...entry, dist })];
    }),
  );
}

const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});

const text = (name: string, value: Json | undefined): JsonObject =>
  typeof value === "string" ? { [name]: value } : {};

function isTag(name: string): boolean {
  try {
    return parseTag(name) === name;
  } catch {
    return false;
  }
}
