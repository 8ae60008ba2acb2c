import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { sendFile } from "../../../shared/http/send-file.ts";
import type { Services } from "../../../shared/services/services.ts";
import { PROVENANCE_SUFFIX } from "../names.ts";
import { openProject, param } from "../target.ts";

/** Only in the client's own cache: a shared one would answer those who may not read it. */
const CACHED = { "cache-control": "private, max-age=31536000, immutable" };

/** `GET` and `HEAD` of a distribution, or of its `.metadata` (PEP 658), in ranges and conditional. */
export async function getFile(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, project } = await openProject(c, services);
  const fileName = param(c, "file");
  if (fileName.endsWith(PROVENANCE_SUFFIX)) throw new NotFoundError("file", fileName);
  const version = param(c, "version");
  const found = await services.catalogue.getFile(grant, project, version, fileName);
  return sendFile(c, services, found, CACHED);
}

/** `GET /integrity/<project>/<version>/<file>/provenance`: the file's provenance object (PEP 740). */
export async function getProvenance(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, project } = await openProject(c, services);
  const fileName = param(c, "file");
  const found = await services.catalogue.getFile(
    grant,
    project,
    param(c, "version"),
    fileName + PROVENANCE_SUFFIX,
  );
  return sendFile(c, services, found, CACHED);
}
