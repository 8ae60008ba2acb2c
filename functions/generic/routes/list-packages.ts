import type { Context } from "hono";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { Services } from "../../../shared/services/services.ts";
import { parsePage, sendListing } from "../listing.ts";
import { renderPackage } from "../render.ts";
import { parseTarget } from "../target.ts";
import { urlPath } from "../urls.ts";

/** The packages of a registry by name. */
export async function listPackages(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { registry } = parseTarget(c, { latest: true });
  const caller = c.get("caller");
  const options = parsePage(c);
  const grant = await services.access.open(caller, registry, "generic", "packages:read");
  const page = await services.catalogue.listPackages(grant, options);
  const packages = page.items.map((pkg) => renderPackage(grant.registry, pkg, caller.baseUrl));
  return sendListing(c, {
    document: { registry, packages },
    nextCursor: page.cursor,
    page: {
      title: registry,
      parents: [],
      columns: ["Package", "Latest version", "Versions", "Changed"],
      rows: packages.map((pkg) => ({
        name: `${pkg.name}/`,
        href: urlPath([registry, pkg.name], "folder"),
        cells: [pkg.latestVersion, String(pkg.versionCount), pkg.updatedAt],
      })),
    },
  });
}
