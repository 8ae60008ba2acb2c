import type { AuditEntry } from "../../shared/domain/audit.ts";
import {
  ACTIVE_STANDING,
  type Package,
  type PackageFile,
  type Tag,
  type Version,
} from "../../shared/domain/package.ts";
import type { Registry, RegistryKind } from "../../shared/domain/registry.ts";
import type { Routing } from "../../shared/domain/routing.ts";
import type { Token } from "../../shared/domain/token.ts";
import type { PageOf } from "../../shared/records/pages.ts";
import { ECOSYSTEM_FACTS } from "./ecosystem-facts.ts";

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** A page in the API's words. */
export function renderPage<T, View>(page: PageOf<T>, render: (item: T) => View) {
  const items = page.items.map(render);
  return page.cursor === undefined ? { items } : { items, nextCursor: page.cursor };
}

export function renderRegistry(registry: Registry, baseUrl: string) {
  const { createdAtMs, updatedAtMs, labels, policies, routing, ...rest } = registry;
  return {
    ...rest,
    labels: [...labels],
    policies: { ...policies, mutableTags: [...policies.mutableTags] },
    ...renderRouting(registry.kind, routing),
    createdAt: iso(createdAtMs),
    updatedAt: iso(updatedAtMs),
    url: `${baseUrl}${ECOSYSTEM_FACTS[registry.ecosystem].rootPath}/${registry.slug}/`,
  };
}

function renderRouting(kind: RegistryKind, routing: Routing) {
  const { packageRules, official, publishTo, minimumAgeDays } = routing;
  const rules = { packageRules: packageRules.map((rule) => ({ ...rule })) };
  if (kind === "source") return rules;
  const age = { minimumAgeDays, minimumAgeExempt: [...routing.minimumAgeExempt] };
  if (kind === "proxy") return { ...rules, ...age, upstream: routing.proxyOf };
  return {
    ...rules,
    ...age,
    upstreams: [...routing.upstreams],
    official: official !== "",
    ...(official === "" ? {} : { officialRegistry: official }),
    ...(publishTo === "" ? {} : { publishTo }),
  };
}

export function renderPackage(registry: Registry, pkg: Package) {
  const { name, state, description, keywords, latestVersion, versionCount } = pkg;
  const { status, reason, tracks, alternateLocations } = pkg.standing ?? ACTIVE_STANDING;
  return {
    registry: registry.slug,
    name,
    state,
    description,
    keywords: [...keywords],
    ...(latestVersion === "" ? {} : { latestVersion }),
    versionCount,
    createdAt: iso(pkg.createdAtMs),
    updatedAt: iso(pkg.updatedAtMs),
    status,
    statusReason: reason,
    tracks: [...tracks],
    alternateLocations: [...alternateLocations],
  };
}

export function renderVersion(registry: Registry, version: Version, downloads: number) {
  const { state, deprecation, publishedBy, sizeBytes, fileCount } = version;
  return {
    registry: registry.slug,
    package: version.packageName,
    version: version.version,
    state,
    deprecation,
    ...(version.publishedAtMs === 0 ? {} : { publishedAt: iso(version.publishedAtMs) }),
    publishedBy,
    sizeBytes,
    fileCount,
    downloads,
    ...(version.origin === undefined ? {} : { origin: version.origin }),
    ...(version.deletedAtMs === 0 ? {} : { deletedAt: iso(version.deletedAtMs) }),
    ...(state === "deleted" ? { restoreUntil: iso(version.restoreUntilMs) } : {}),
  };
}

export function renderFile(
  registry: Registry,
  file: Omit<PackageFile, "registryId">,
  baseUrl: string,
) {
  const { path, sizeBytes, contentType, digests, packageName, version } = file;
  const { downloadPath } = ECOSYSTEM_FACTS[registry.ecosystem];
  return {
    path,
    sizeBytes,
    contentType,
    digests: { ...digests },
    createdAt: iso(file.createdAtMs),
    downloadUrl: baseUrl + downloadPath(registry.slug, packageName, version, path),
  };
}

export const renderTag = ({ name, version, updatedAtMs }: Tag) => ({
  name,
  version,
  updatedAt: iso(updatedAtMs),
});

/** Rights as they stand in a token, and in the principal made from it. */
export function renderRights(
  rights: Pick<
    Token,
    "owner" | "scopes" | "registries" | "packages" | "expiresAtMs" | "rateLimitExempt"
  >,
) {
  return {
    owner: rights.owner,
    scopes: [...rights.scopes],
    registries: [...rights.registries],
    packages: [...rights.packages],
    ...(rights.expiresAtMs === 0 ? {} : { expiresAt: iso(rights.expiresAtMs) }),
    rateLimitExempt: rights.rateLimitExempt,
  };
}

/** A token without its secret. */
export function renderToken(token: Token) {
  const { id, kind, description, hint, createdAtMs } = token;
  return { id, kind, description, ...renderRights(token), hint, createdAt: iso(createdAtMs) };
}

export function renderAuditEntry(entry: AuditEntry) {
  const { atMs, ...rest } = entry;
  return { ...rest, at: iso(atMs) };
}
