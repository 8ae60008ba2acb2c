import { type Package, PACKAGE_STATUSES, type PackageStanding } from "../domain/package.ts";
import type { Item, Key, PutOp, Query, UpdateOp, WriteOp } from "../ports/table.ts";
import { number, strings, text, word } from "./attributes.ts";
import type { PageOptions } from "./pages.ts";

/** One partition a package: everything that belongs to it is found by one key or one query. */
export const packagePartition = (registryId: string, name: string): string =>
  `P#${registryId}#${name}`;

export const packageKey = (registryId: string, name: string): Key => ({
  pk: packagePartition(registryId, name),
  sk: "PACKAGE",
});

export function toPackage(item: Item): Package {
  return {
    registryId: text(item, "registryId"),
    name: text(item, "name"),
    state: word(item, "state", ["active", "deleted"]),
    revision: number(item, "revision"),
    description: text(item, "description"),
    keywords: strings(item, "keywords"),
    latestVersion: text(item, "latestVersion"),
    versionCount: number(item, "versionCount"),
    createdAtMs: number(item, "createdAtMs"),
    updatedAtMs: number(item, "updatedAtMs"),
    ...("status" in item.attributes ? { standing: toStanding(item) } : {}),
  };
}

const toStanding = (item: Item): PackageStanding => ({
  status: word(item, "status", PACKAGE_STATUSES),
  reason: text(item, "statusReason"),
  tracks: strings(item, "tracks"),
  alternateLocations: strings(item, "alternateLocations"),
});

function packageAttributes({ standing, ...pkg }: Package) {
  if (standing === undefined) return pkg;
  const { status, reason, tracks, alternateLocations } = standing;
  return { ...pkg, status, statusReason: reason, tracks, alternateLocations };
}

/**
 * Writes the next revision of a package: `readRevision` is the revision that the change is based on, 0 for
 * a package that did not exist. The transaction fails when another change came first.
 */
export function putPackageOp(pkg: Package, readRevision: number): PutOp {
  return {
    op: "put",
    item: {
      key: packageKey(pkg.registryId, pkg.name),
      attributes: { ...packageAttributes(pkg), revision: readRevision + 1 },
    },
    conditions:
      readRevision === 0
        ? [{ kind: "absent" }]
        : [{ kind: "equals", attribute: "revision", value: readRevision }],
  };
}

const listingPartition = (registryId: string): string => `R#${registryId}#PACKAGES`;

/** The row by which a registry's packages are listed in name order; written when a package appears or goes. */
export const listPackageOp = (registryId: string, name: string): PutOp => ({
  op: "put",
  item: { key: { pk: listingPartition(registryId), sk: name }, attributes: {} },
});

export const unlistPackageOp = (registryId: string, name: string): WriteOp => ({
  op: "delete",
  key: { pk: listingPartition(registryId), sk: name },
});

/** Counts every change of a registry's listing, so that who remembers the listing knows when it is out of date. */
export const listingCountKey = (registryId: string): Key => ({
  pk: `R#${registryId}#LISTING`,
  sk: "COUNT",
});

export const countListingOp = (registryId: string): UpdateOp => ({
  op: "update",
  key: listingCountKey(registryId),
  add: { count: 1 },
});

/** Package names of a registry in byte order; the name is the sort key. */
export const listPackagesQuery = (
  registryId: string,
  options: PageOptions & { readonly prefix?: string; readonly after?: string },
): Query => {
  const { prefix, after, ...page } = options;
  const range = {
    ...(prefix === undefined || prefix === "" ? {} : { prefix }),
    ...(after === undefined || after === "" ? {} : { after }),
  };
  return {
    pk: listingPartition(registryId),
    ...(Object.keys(range).length === 0 ? {} : { range }),
    ...page,
  };
};
