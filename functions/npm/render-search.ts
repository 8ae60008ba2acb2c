import { isJsonObject, type Json, type JsonObject, property } from "../../shared/domain/json.ts";
import type { Package, Version } from "../../shared/domain/package.ts";
import type { DocumentScope } from "../../shared/services/ecosystem.ts";
import { scopeOf } from "./names.ts";

/**
 * One find of a search, in the shape that clients of `/-/v1/search` read
 * (libnpmsearch; https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md#get-v1search). `relevance`
 * is between 0 and 1; what npm's registry measures besides is not measured here.
 */
export function renderSearchObject(
  scope: DocumentScope,
  pkg: Package,
  version: Version | undefined,
  relevance: number,
): JsonObject {
  const manifest = version?.metadata ?? {};
  const publisher = { username: version?.publishedBy ?? "", email: "" };
  const author = property(manifest, "author");
  const prefix = scopeOf(pkg.name);
  return {
    package: {
      name: pkg.name,
      scope: prefix === "" ? "unscoped" : prefix.slice(1),
      version: version?.version ?? pkg.latestVersion,
      description: pkg.description,
      keywords: pkg.keywords,
      date: new Date(version?.publishedAtMs ?? pkg.updatedAtMs).toISOString(),
      links: links(scope, manifest),
      ...(author === undefined ? {} : { author }),
      publisher,
      maintainers: [publisher],
    },
    score: { final: relevance, detail: { quality: 1, popularity: 1, maintenance: 1 } },
    searchScore: relevance,
    flags: {},
  };
}

function links(
  { registry, packageName, baseUrl }: DocumentScope,
  manifest: JsonObject,
): JsonObject {
  const found: readonly (readonly [string, string | undefined])[] = [
    ["homepage", urlOf(property(manifest, "homepage"))],
    ["repository", urlOf(property(manifest, "repository"))],
    ["bugs", urlOf(property(manifest, "bugs"))],
  ];
  return {
    npm: `${baseUrl}/npm/${registry.slug}/${packageName}`,
    ...Object.fromEntries(found.filter(([, url]) => url !== undefined)),
  };
}

/** package.json has such URLs as text, or as an object with `url`. */
function urlOf(value: Json | undefined): string | undefined {
  const url = isJsonObject(value) ? property(value, "url") : value;
  return typeof url === "string" && /^(?:git\+)?https?:/.test(url)
    ? url.replace(/^git\+/, "")
    : undefined;
}
