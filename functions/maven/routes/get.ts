import { hash } from "node:crypto";
import type { Context } from "hono";
import { InvalidInputError, NotFoundError } from "../../../shared/errors.ts";
import type { PackageFile } from "../../../shared/domain/package.ts";
import { type DigestAlgorithm } from "../../../shared/domain/digest.ts";
import { type AppEnv, isHead } from "../../../shared/http/app.ts";
import { bodyBytes } from "../../../shared/http/body-bytes.ts";
import type { DocumentSender } from "../../../shared/http/send-document.ts";
import { sendFile } from "../../../shared/http/send-file.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { AvailableFile } from "../../../shared/services/catalogue.ts";
import type { Services } from "../../../shared/services/services.ts";
import { archetypeCatalog } from "../archetypes.ts";
import { coordinatesOf, type Target } from "../layout.ts";
import { sendFolder } from "../folder.ts";
import { findPlugins } from "../plugins.ts";
import { METADATA_KIND, renderPlugins, XML_TYPE } from "../render.ts";
import { findSnapshotMetadata } from "../snapshot-metadata.ts";
import { buildPath, MAX_BUILDS_OF_ONE_NAME, parseArtifactName } from "../snapshots.ts";
import { parseTarget } from "../target.ts";
import { deployOf, factsOf } from "../version-facts.ts";
import { isSnapshot } from "../versions.ts";

type FileTarget = Extract<Target, { kind: "file" }>;
type MetadataTarget = Extract<Target, { kind: "metadata" }>;

/** Longer documents go without sums in their headers: they would have to be decoded for every answer. */
const MAX_SUMMED_BYTES = 256 * 1024;

/** How long Ivy may take from a file to its checksums. */
const IVY_PUBLISH_MS = 60_000;

/** GET or HEAD of anything below a registry. */
export async function get(
  c: Context<AppEnv>,
  services: Services,
  documents: DocumentSender,
): Promise<Response> {
  const { registry, target, checksum } = await parseOrNotFound(c, services);
  const packageName = target.kind === "metadata" ? undefined : packageOf(target);
  const grant = await services.access.open(
    c.get("caller"),
    registry,
    "maven",
    "packages:read",
    packageName,
  );
  if (target.kind === "folder") return sendFolder(c, services, grant, target.segments);
  if (target.kind === "file") return getFile(c, services, grant, target, checksum);
  if (target.kind === "metadata") {
    return getMetadata(c, services, documents, grant, target, checksum);
  }
  const document =
    target.kind === "snapshot-metadata"
      ? await findSnapshotMetadata(services, grant, target)
      : await archetypeCatalog(services, grant);
  return sendText(document, checksum);
}

/** Other than 404 would keep build tools from looking in their next repository for what no path here can name. */
async function parseOrNotFound(
  c: Context<AppEnv>,
  { access }: Services,
): Promise<ReturnType<typeof parseTarget>> {
  try {
    return parseTarget(c);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    await access.open(c.get("caller"), c.req.param("registry") ?? "", "maven", "packages:read");
    throw new NotFoundError("file", c.req.path.slice(0, 200));
  }
}

const packageOf = (target: Target): string | undefined =>
  "packageName" in target ? target.packageName : undefined;

async function getFile(
  c: Context<AppEnv>,
  services: Services,
  grant: RegistryGrant,
  target: FileTarget,
  checksum: DigestAlgorithm | undefined,
): Promise<Response> {
  const found = await findFile(services, grant, target);
  const { file, version } = found;
  if (checksum !== undefined) {
    if (isIvyPublishing(c, services, grant, file)) {
      throw new NotFoundError("file", `${file.path}.${checksum}`);
    }
    await found.arriving?.cancel();
    const whole = found.arriving === undefined ? found : await findFile(services, grant, target);
    return sendSum(whole.file.digests[checksum]);
  }
  const changes =
    // Behind a composite a name can come to belong to another registry.
    grant.registry.kind !== "source" ||
    grant.registry.policies.mutableFiles ||
    file.path !== target.path ||
    (isSnapshot(file.version)
      ? parseArtifactName(file.packageName, file.version, file.path)?.build === undefined
      : deployOf(version().metadata) !== "complete");
  // Of other repositories when it was published, not when it was fetched.
  const changedAtMs =
    grant.registry.kind === "source"
      ? file.createdAtMs
      : Math.min(file.createdAtMs, version().publishedAtMs);
  return sendFile(c, services, found, {
    "last-modified": new Date(changedAtMs).toUTCString(),
    "x-checksum-md5": file.digests.md5,
    "x-checksum-sha1": file.digests.sha1,
    "x-checksum-sha256": file.digests.sha256,
    "x-checksum-sha512": file.digests.sha512,
    // Only in the client's own cache: a shared one would answer those who may not read it.
    "cache-control": changes ? "private, no-cache" : "private, max-age=86400, immutable",
  });
}

/**
 * Ivy asks by HEAD for the checksum of what it has just uploaded, and ends with an error when there is one already
 * ("destination file exists and overwrite == false"). When it resolves, it asks in the same way before it verifies.
 */
function isIvyPublishing(
  c: Context<AppEnv>,
  { stores }: Services,
  grant: RegistryGrant,
  { packageName, createdAtMs }: PackageFile,
): boolean {
  return (
    isHead(c) &&
    (c.req.header("user-agent") ?? "").startsWith("Apache Ivy/") &&
    createdAtMs > stores.now() - IVY_PUBLISH_MS &&
    grant.may("packages:write", packageName)
  );
}

async function findFile(
  services: Services,
  grant: RegistryGrant,
  target: FileTarget,
): Promise<AvailableFile> {
  const { packageName, version, path } = target;
  try {
    return await services.catalogue.getFile(grant, packageName, version, path);
  } catch (error) {
    if (!(error instanceof NotFoundError) || !isSnapshot(version)) throw error;
    // Of other repositories only they know which build is the newest.
    for (const { leaf, refusal } of await services.views.routes(grant.registry, packageName)) {
      if (refusal !== "" || leaf.upstream !== undefined) continue;
      const other = await findOtherPath(services, grant.through(leaf.registry), target);
      if (other !== undefined)
        return services.catalogue.getFile(grant, packageName, version, other);
    }
    throw error;
  }
}

/**
 * `demo-1.0-SNAPSHOT.jar`, where there is no such file, is the newest build's. What a unique build lacks may be there
 * under a lower number of the same second: jobs that chose one name share the files in which they do not differ.
 */
async function findOtherPath(
  { catalogue }: Services,
  grant: RegistryGrant,
  { packageName, version, path }: FileTarget,
): Promise<string | undefined> {
  const name = parseArtifactName(packageName, version, path);
  if (name === undefined) return undefined;
  for (let by = 1; name.build !== undefined && by < MAX_BUILDS_OF_ONE_NAME; by++) {
    const lower = buildPath(packageName, version, path, -by);
    if (lower === undefined) return undefined;
    if (await catalogue.findFile(grant, packageName, version, lower)) return lower;
  }
  if (name.build !== undefined) return undefined;
  const found = await catalogue.findAnyVersion(grant, packageName, version);
  const newest = factsOf(found?.metadata).snapshot.find(
    ({ classifier, extension }) => classifier === name.classifier && extension === name.extension,
  );
  const start = `${coordinatesOf(packageName).artifact}-`;
  const suffix = path.slice(start.length + version.length);
  return newest === undefined ? undefined : start + newest.value + suffix;
}

/** The artifact's document, or the plugins of the group of this path. */
async function getMetadata(
  c: Context<AppEnv>,
  services: Services,
  documents: DocumentSender,
  grant: RegistryGrant,
  { packageName, group }: MetadataTarget,
  checksum: DigestAlgorithm | undefined,
): Promise<Response> {
  const document =
    packageName === undefined || !grant.may("packages:read", packageName)
      ? undefined
      : await services.catalogue.findDocument(grant, packageName, METADATA_KIND);
  if (document === undefined) {
    const plugins = await findPlugins(services, grant, group, packageName);
    if (plugins.length === 0) throw new NotFoundError("file", `${group}/maven-metadata.xml`);
    return sendText(Buffer.from(renderPlugins(plugins)), checksum);
  }
  const { baseUrl } = c.get("caller");
  if (checksum !== undefined) {
    return sendSum(sumOf(await documents.text(document, baseUrl), checksum));
  }
  const sums =
    document.lengthBytes > MAX_SUMMED_BYTES
      ? {}
      : sumHeaders(await documents.text(document, baseUrl));
  return documents.send(c, document, { ...sums, vary: "accept-encoding" });
}

function sendText(bytes: Uint8Array, checksum: DigestAlgorithm | undefined): Response {
  if (checksum !== undefined) return sendSum(sumOf(bytes, checksum));
  const headers = {
    ...sumHeaders(bytes),
    "content-type": XML_TYPE,
    "cache-control": "private, no-cache",
    // It may be as an upstream wrote it, and must never run as a page of ours.
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
  };
  return new Response(bodyBytes(bytes), { headers });
}

function sendSum(hex: string): Response {
  const headers = { "content-type": "text/plain", "cache-control": "private, no-cache" };
  return new Response(hex, { headers });
}

const sumOf = (bytes: Uint8Array, algorithm: DigestAlgorithm): string =>
  hash(algorithm, bytes, "hex");

type SumHeaders = Readonly<Record<"x-checksum-md5" | "x-checksum-sha1", string>>;
/** Of texts that are kept (`DocumentSender`), for as long as they are. */
const knownSums = new WeakMap<Uint8Array, SumHeaders>();

/** Spares Maven 3.9 and later the request for the sum, which might be that of newer text. */
function sumHeaders(bytes: Uint8Array): SumHeaders {
  const known = knownSums.get(bytes);
  if (known !== undefined) return known;
  const sums = { "x-checksum-md5": sumOf(bytes, "md5"), "x-checksum-sha1": sumOf(bytes, "sha1") };
  knownSums.set(bytes, sums);
  return sums;
}
