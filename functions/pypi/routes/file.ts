import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { sendFile } from "../../../shared/http/send-file.ts";
import type { Services } from "../../../shared/services/services.ts";
import { isFileName, PROVENANCE_SUFFIX } from "../names.ts";
import { openProject, param } from "../target.ts";
import { readVersion } from "../versions.ts";

/** Only in the client's own cache: a shared one would answer those who may not read it. */
const CACHED = { "cache-control": "private, max-age=31536000, immutable" };

/** `GET` and `HEAD` of a distribution, or of its `.metadata` (PEP 658), in ranges and conditional. */
export async function getFile(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { fileName } = fileOf(c);
  if (fileName.endsWith(PROVENANCE_SUFFIX)) throw new NotFoundError("file", fileName);
  return send(c, services, "");
}

/** `GET /integrity/<project>/<version>/<file>/provenance`: the file's provenance object (PEP 740). */
export async function getProvenance(c: Context<AppEnv>, services: Services): Promise<Response> {
  return send(c, services, PROVENANCE_SUFFIX);
}

async function send(c: Context<AppEnv>, services: Services, suffix: string): Promise<Response> {
  const { grant, project } = await openProject(c, services);
  const { version, fileName } = fileOf(c);
  const found = await services.catalogue.getFile(grant, project, version, fileName + suffix);
  return sendFile(c, services, found, CACHED);
}

/** @throws {NotFoundError} for what can be no file here, before it becomes a key. */
function fileOf(c: Context<AppEnv>): { readonly version: string; readonly fileName: string } {
  const version = param(c, "version");
  const fileName = param(c, "file");
  if (readVersion(version) !== undefined && isFileName(fileName)) return { version, fileName };
  throw new NotFoundError("file", fileName.slice(0, 200).toWellFormed());
}
