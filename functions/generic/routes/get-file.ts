import type { Context } from "hono";
import type { AppEnv } from "../../../shared/http/app.ts";
import { sendFile } from "../../../shared/http/send-file.ts";
import type { Services } from "../../../shared/services/services.ts";
import { LATEST } from "../names.ts";
import { fileHeaders } from "../render.ts";
import { parseTarget, resolveVersion } from "../target.ts";
import { urlPath } from "../urls.ts";

/** GET or HEAD of one file, with `latest` for its version. */
export async function getFile(c: Context<AppEnv>, services: Services): Promise<Response> {
  const target = parseTarget(c, { latest: true });
  const { registry, packageName, path } = target;
  const grant = await services.access.open(
    c.get("caller"),
    registry,
    "generic",
    "packages:read",
    packageName,
  );
  const version = await resolveVersion(services, grant, target);
  const found = await services.catalogue.getFile(grant, packageName, version, path);
  const changes = target.version === LATEST || grant.registry.policies.mutableFiles;
  return sendFile(c, services, found, {
    ...fileHeaders(found.file),
    // Only in the client's own cache: a shared one would answer those who may not read it.
    "cache-control": changes ? "private, no-cache" : "private, max-age=86400, immutable",
    ...(target.version === LATEST
      ? { "content-location": urlPath([registry, packageName, version, path], "file") }
      : {}),
  });
}
