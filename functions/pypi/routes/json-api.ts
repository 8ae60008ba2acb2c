import type { Context } from "hono";
import { isJsonObject, type JsonObject } from "../../../shared/domain/json.ts";
import { isAvailable, isQuarantined, type Version } from "../../../shared/domain/package.ts";
import { NotFoundError, RegistryError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { matchesEtag } from "../../../shared/http/conditional.ts";
import type { DocumentSender } from "../../../shared/http/send-document.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { Services } from "../../../shared/services/services.ts";
import { collect } from "../../../shared/services/streams.ts";
import { type CoreMetadata, fieldText, parseCoreMetadata } from "../core-metadata.ts";
import { readDescription } from "../description.ts";
import { MAX_METADATA_BYTES } from "../intake/archive-limits.ts";
import { JSON_API, releaseInfo, renderProject, renderRelease } from "../render-json-api.ts";
import { apiFilesOf, describedBy, pageFields } from "../render-listing.ts";
import { openProject, param } from "../target.ts";
import { parseVersion, spellingsOf } from "../versions.ts";

const NO_CACHE = "private, no-cache";

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
    "cache-control": NO_CACHE,
    "last-modified": new Date(document.updatedAtMs).toUTCString(),
  };
  const isStored = grant.registry.kind === "source";
  if (isStored && matchesEtag(c.req.header("if-none-match"), document.etag)) {
    return new Response(null, { status: 304, headers });
  }
  const text = await documents.text(document, c.get("caller").baseUrl);
  const answer = renderProject(Buffer.from(text).toString("utf8"));
  if (answer === undefined) throw new NotFoundError("package", project);
  if (isStored) return json(answer, headers);
  const { info = {} } = answer;
  const latest = isJsonObject(info) ? fieldText(info, "version") : "";
  const version = await services.catalogue.findAnyVersion(grant, project, latest);
  const described = version === undefined ? info : await listedInfo(c, services, grant, version);
  // Without an ETag: the description may be out of reach now and there later.
  return json({ ...answer, info: described }, { "cache-control": NO_CACHE });
}

/** `GET /pypi/<project>/<version>/json`: one release. */
export async function getReleaseJson(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, project } = await openProject(c, services);
  const asked = parseVersion(param(c, "version"));
  const spellings = spellingsOf(asked);
  const isSource = grant.registry.kind === "source";
  const [pkg, versions] = await Promise.all([
    isSource ? services.catalogue.findAnyPackage(grant, project) : undefined,
    services.catalogue.findVersions(grant, project, spellings),
  ]);
  const version = versions.find(isAvailable);
  if (version === undefined || (pkg !== undefined && isQuarantined(pkg))) {
    throw new NotFoundError("version", asked);
  }
  const { baseUrl } = c.get("caller");
  const scope = { registry: grant.registry, packageName: project, baseUrl };
  const serial = pkg?.revision ?? 0;
  const answer = isSource
    ? renderRelease(scope, version, {
        description: await readDescription(services, version),
        serial,
      })
    : {
        ...renderRelease(scope, version, { description: "", serial }),
        info: await listedInfo(c, services, grant, version),
        urls: apiFilesOf(scope, version),
      };
  return json(answer, { "cache-control": NO_CACHE });
}

/**
 * `info` of a release that is known from an index's page only: the page's own words, and all others from the core
 * metadata beside its files, which is fetched for that. Without it (HTML-only indexes have none) the page's have to do.
 */
async function listedInfo(
  c: Context<AppEnv>,
  services: Services,
  grant: RegistryGrant,
  version: Version,
): Promise<JsonObject> {
  const { packageName, metadata } = version;
  const scope = { registry: grant.registry, packageName, baseUrl: c.get("caller").baseUrl };
  const path = describedBy(metadata);
  const known = path === undefined ? undefined : await coreMetadata(services, grant, version, path);
  const fields = { ...known?.fields, ...pageFields(metadata) };
  return releaseInfo(scope, { ...version, metadata: { fields } }, known?.description ?? "");
}

async function coreMetadata(
  services: Services,
  grant: RegistryGrant,
  { packageName, version }: Version,
  path: string,
): Promise<CoreMetadata | undefined> {
  try {
    const { file } = await services.catalogue.getFile(grant, packageName, version, path);
    if (file.sizeBytes > MAX_METADATA_BYTES) return undefined;
    const stream = await services.stores.blobs.open(file.digests.sha256);
    if (stream === undefined) return undefined;
    return parseCoreMetadata(await collect(stream, MAX_METADATA_BYTES));
  } catch (error) {
    // The release is there whether or not somebody else's server describes it.
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

function json(body: JsonObject, headers: Readonly<Record<string, string>>): Response {
  return new Response(JSON.stringify(body), {
    headers: { "content-type": "application/json", ...headers },
  });
}
