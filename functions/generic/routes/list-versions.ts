import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import { isAvailable } from "../../../shared/domain/package.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { Services } from "../../../shared/services/services.ts";
import { parsePage, sendListing } from "../listing.ts";
import { renderVersion } from "../render.ts";
import { parseTarget } from "../target.ts";
import { urlPath } from "../urls.ts";

/** The versions of a package, the newest publication first. */
export async function listVersions(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { registry, packageName } = parseTarget(c, { latest: true });
  const caller = c.get("caller");
  const options = parsePage(c);
  const grant = await services.access.open(
    caller,
    registry,
    "generic",
    "packages:read",
    packageName,
  );
  const pkg = await services.catalogue.findPackage(grant, packageName);
  if (pkg === undefined) throw new NotFoundError("package", packageName);
  const page = await services.catalogue.listVersions(grant, packageName, options);
  const versions = page.items
    .filter(isAvailable)
    .map((version) => renderVersion(grant.registry, version, caller.baseUrl));
  return sendListing(c, {
    document: { registry, package: packageName, latestVersion: pkg.latestVersion, versions },
    nextCursor: page.cursor,
    page: {
      title: packageName,
      parents: [{ name: registry, href: urlPath([registry], "folder") }],
      columns: ["Version", "Files", "Size", "Published", "Notes"],
      rows: versions.map((version) => ({
        name: `${version.version}/`,
        href: urlPath([registry, packageName, version.version], "folder"),
        cells: [
          String(version.fileCount),
          `${version.sizeBytes} bytes`,
          version.publishedAt,
          version.version === pkg.latestVersion ? "latest" : version.deprecation,
        ],
      })),
    },
  });
}
