import { NotFoundError } from "../../../shared/errors.ts";
import { isAvailable, type VersionState } from "../../../shared/domain/package.ts";
import type { PageOptions } from "../../../shared/records/pages.ts";
import type { Services } from "../../../shared/services/services.ts";
import { renderVersion } from "../render.ts";
import type { OpenedPackage, OpenedVersion } from "./open.ts";

/** One version with its metadata; what was taken back is there only for those who may restore it. */
export async function detailsOf(
  { catalogue }: Services,
  { grant, packageName, version }: OpenedVersion,
) {
  const found = await catalogue.findAnyVersion(grant, packageName, version);
  const visible =
    found !== undefined && (isAvailable(found) || grant.may("packages:delete", packageName));
  if (!visible) throw new NotFoundError("version", version);
  const [downloads = 0] = await catalogue.downloads(grant, packageName, [version]);
  return { ...renderVersion(grant.registry, found, downloads), metadata: found.metadata };
}

/**
 * A page of a package's versions. They are read in the order of publication and then filtered, so that a page
 * may be short, or empty, and still have another behind it.
 */
export async function listPage(
  { catalogue }: Services,
  { grant, packageName }: OpenedPackage,
  { state, ...options }: PageOptions & { readonly state?: VersionState },
) {
  const pkg = await catalogue.findAnyPackage(grant, packageName);
  const mayRestore = grant.may("packages:delete", packageName);
  if (pkg === undefined || (pkg.state === "deleted" && !mayRestore)) {
    throw new NotFoundError("package", packageName);
  }
  if (state !== undefined && !isAvailable({ state })) grant.require("packages:delete", packageName);
  const page = await catalogue.listVersions(grant, packageName, options);
  const versions = page.items.filter((version) =>
    state === undefined ? isAvailable(version) : version.state === state,
  );
  const names = versions.map(({ version }) => version);
  const downloads = await catalogue.downloads(grant, packageName, names);
  const items = versions.map((version, position) =>
    renderVersion(grant.registry, version, downloads[position] ?? 0),
  );
  return page.cursor === undefined ? { items } : { items, nextCursor: page.cursor };
}
