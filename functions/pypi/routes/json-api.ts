import type { Context } from "hono";
import type { JsonObject } from "../../../shared/domain/json.ts";
import { isAvailable, isQuarantined } from "../../../shared/domain/package.ts";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { matchesEtag } from "../../../shared/http/conditional.ts";
import type { DocumentSender } from "../../../shared/http/send-document.ts";
import type { Services } from "../../../shared/services/services.ts";
import { readDescription } from "../description.ts";
import { JSON_API, renderProject, renderRelease } from "../render-json-api.ts";
import { openProject, param } from "../target.ts";
import { parseVersion, spellingsOf } from "../versions.ts";

/** `GET /pypi/<project>/json`: the latest release, and the files of all (https://docs.pypi.org/api/json/). */
export async function getProjectJson(
  c: Context<AppEnv>,
  services: Services,
  documents: DocumentSender,
): Promise<Response> {
  const { grant, project } = await openProject(c, services);
  const document = await services.catalogue.findDocument(grant, project, JSON_API);
  if (document === undefined) throw new NotFoundError("package", project);
  const headers = {
    etag: `W/"${document.etag}"`,
    "cache-control": "private, no-cache",
    "last-modified": new Date(document.updatedAtMs).toUTCString(),
  };
  if (matchesEtag(c.req.header("if-none-match"), document.etag)) {
    return new Response(null, { status: 304, headers });
  }
  const text = await documents.text(document, c.get("caller").baseUrl);
  const answer = renderProject(Buffer.from(text).toString("utf8"));
  if (answer === undefined) throw new NotFoundError("package", project);
  return json(answer, headers);
}

/** `GET /pypi/<project>/<version>/json`: one release. */
export async function getReleaseJson(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, project } = await openProject(c, services);
  const asked = parseVersion(param(c, "version"));
  const spellings = spellingsOf(asked);
  const [pkg, versions] = await Promise.all([
    services.catalogue.findAnyPackage(grant, project),
    services.catalogue.findVersions(grant, project, spellings),
  ]);
  const version = versions.find(isAvailable);
  if (pkg === undefined || isQuarantined(pkg) || version === undefined) {
    throw new NotFoundError("version", asked);
  }
  const { baseUrl } = c.get("caller");
  const scope = { registry: grant.registry, packageName: project, baseUrl };
  const description = await readDescription(services, version);
  const answer = renderRelease(scope, version, { description, serial: pkg.revision });
  return json(answer, { "cache-control": "private, no-cache" });
}

function json(body: JsonObject, headers: Readonly<Record<string, string>>): Response {
  return new Response(JSON.stringify(body), {
    headers: { "content-type": "application/json", ...headers },
  });
}
