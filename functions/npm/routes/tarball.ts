import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { sendFile } from "../../../shared/http/send-file.ts";
import type { Services } from "../../../shared/services/services.ts";
import { tarballName, versionOfTarball } from "../names.ts";
import { openPackage, param } from "../target.ts";

/** `GET` and `HEAD /<package>/-/<file>.tgz`, in ranges and conditional. */
export async function getTarball(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:read");
  const asked = param(c, "file");
  const version = versionOfTarball(packageName, asked);
  if (version === undefined) throw new NotFoundError("file", asked.slice(0, 200));
  const found = await services.catalogue.getFile(
    grant,
    packageName,
    version,
    tarballName(packageName, version),
  );
  // Only in the client's own cache: a shared one would answer those who may not read it.
  return sendFile(c, services, found, { "cache-control": "private, max-age=31536000, immutable" });
}
