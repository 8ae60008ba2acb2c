import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { Services } from "../../../shared/services/services.ts";
import { parsePage, sendListing } from "../listing.ts";
import { renderFile } from "../render.ts";
import { parseTarget, resolveVersion } from "../target.ts";
import { urlPath } from "../urls.ts";

/** The files of a version, or of a folder in it with the folders inside, by path. */
export async function listFiles(c: Context<AppEnv>, services: Services): Promise<Response> {
  const target = parseTarget(c, { latest: true });
  const { registry, packageName } = target;
  const caller = c.get("caller");
  const options = parsePage(c);
  const grant = await services.access.open(
    caller,
    registry,
    "generic",
    "packages:read",
    packageName,
  );
  const version = await resolveVersion(services, grant, target);
  await services.catalogue.getVersion(grant, packageName, version);
  const prefix = target.path === "" ? "" : `${target.path}/`;
  const page = await services.catalogue.listFiles(grant, packageName, version, {
    ...options,
    prefix,
  });
  if (prefix !== "" && page.items.length === 0 && options.cursor === undefined) {
    throw new NotFoundError("file", prefix);
  }
  const files = page.items.map((file) => renderFile(registry, file, caller.baseUrl));
  return sendListing(c, {
    document: { registry, package: packageName, version, prefix, files },
    nextCursor: page.cursor,
    page: {
      title: `${packageName} ${version}${prefix === "" ? "" : ` ${prefix}`}`,
      parents: [
        { name: registry, href: urlPath([registry], "folder") },
        { name: packageName, href: urlPath([registry, packageName], "folder") },
      ],
      columns: ["File", "Size", "SHA-256"],
      rows: files.map((file) => ({
        name: file.path.slice(prefix.length),
        href: urlPath([registry, packageName, version, file.path], "file"),
        cells: [`${file.sizeBytes} bytes`, file.digests.sha256],
      })),
    },
  });
}
