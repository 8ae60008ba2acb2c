import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { DocumentSender } from "../../../shared/http/send-document.ts";
import type { Services } from "../../../shared/services/services.ts";
import { isVersion, parseTag } from "../names.ts";
import { prefersAbbreviated } from "../accept.ts";
import { ABBREVIATED, FULL, renderVersion } from "../render.ts";
import { openPackage, param } from "../target.ts";

/**
 * `GET /<package>`: the full packument, or the abbreviated one for those who prefer it. `?write=true` is asked by
 * clients that will edit what they get: never from a cache.
 */
export async function getPackument(
  c: Context<AppEnv>,
  services: Services,
  documents: DocumentSender,
): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:read");
  const willEdit = c.req.query("write") === "true";
  const kind = !willEdit && prefersAbbreviated(c.req.header("accept")) ? ABBREVIATED : FULL;
  const document = await services.catalogue.findDocument(grant, packageName, kind);
  if (document === undefined) throw new NotFoundError("package", packageName);
  return documents.send(c, document, {
    vary: "Accept, Accept-Encoding",
    ...(willEdit ? { "cache-control": "private, no-store" } : {}),
  });
}

/** `GET /<package>/<version or tag>`: the manifest of one version. */
export async function getVersionManifest(
  c: Context<AppEnv>,
  services: Services,
): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:read");
  const asked = param(c, "version");
  const name = isVersion(asked)
    ? asked
    : await services.catalogue.findTag(grant, packageName, parseTag(asked));
  if (name === undefined) throw new NotFoundError("version", asked);
  const version = await services.catalogue.getVersion(grant, packageName, name);
  const { baseUrl } = c.get("caller");
  const manifest = renderVersion({ registry: grant.registry, packageName, baseUrl }, version);
  return c.json(manifest, 200, { "cache-control": "private, no-cache" });
}
