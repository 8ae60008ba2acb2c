import { createHash } from "node:crypto";
import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { Version } from "../../../shared/domain/package.ts";
import { type DigestAlgorithm } from "../../../shared/domain/digest.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
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
import { parseArtifactName } from "../snapshots.ts";
import { parseTarget } from "../target.ts";
import { factsOf } from "../version-facts.ts";
import { isSnapshot } from "../versions.ts";

type FileTarget = Extract<Target, { kind: "file" }>;
type MetadataTarget = Extract<Target, { kind: "metadata" }>;

/** Longer documents go without sums in their headers: they would have to be decoded for every answer. */
const MAX_SUMMED_BYTES = 256 * 1024;

/** GET or HEAD of anything below a registry. */
export async function get(
  c: Context<AppEnv>,
  services: Services,
  documents: DocumentSender,
): Promise<Response> {
  const { registry, target, checksum } = parseTarget(c);
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
  return sendText(c, document, checksum);
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
    await found.arriving?.cancel();
    const whole = found.arriving === undefined ? found : await findFile(services, grant, target);
    return sendSum(c, whole.file.digests[checksum]);
  }
  const changes =
    // Behind a composite a name can come to belong to another registry.
    grant.registry.kind !== "source" ||
    grant.registry.policies.mutableFiles ||
    file.path !== target.path ||
    (isSnapshot(file.version)
      ? parseArtifactName(file.packageName, file.version, file.path)?.build === undefined
      : factsOf(version.metadata).deploy !== "complete");
  // Of other repositories when it was published, not when it was fetched.
  const changedAtMs =
    grant.registry.kind === "source"
      ? file.createdAtMs
      : Math.min(file.createdAtMs, version.publishedAtMs);
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

/** `demo-1.0-SNAPSHOT.jar`, where there is no such file, is the newest build's. */
async function findFile(
  services: Services,
  grant: RegistryGrant,
  { packageName, version, path }: FileTarget,
): Promise<AvailableFile> {
  const { catalogue } = services;
  try {
    return await catalogue.getFile(grant, packageName, version, path);
  } catch (error) {
    if (!(error instanceof NotFoundError) || !isSnapshot(version)) throw error;
    const name = parseArtifactName(packageName, version, path);
    const found = await findOwnSnapshot(services, grant, packageName, version);
    const newest = factsOf(found?.metadata).snapshot.find(
      ({ classifier, extension }) =>
        classifier === name?.classifier && extension === name.extension,
    );
    if (newest === undefined || name?.value !== version) throw error;
    const { artifact } = coordinatesOf(packageName);
    const suffix = path.slice(`${artifact}-${version}`.length);
    return catalogue.getFile(grant, packageName, version, `${artifact}-${newest.value}${suffix}`);
  }
}

/** A snapshot of a source registry: of other repositories only they know which build is the newest. */
async function findOwnSnapshot(
  { catalogue, views }: Services,
  grant: RegistryGrant,
  packageName: string,
  version: string,
): Promise<Version | undefined> {
  for (const { leaf, refusal } of await views.routes(grant.registry, packageName)) {
    if (refusal !== "" || leaf.upstream !== undefined) continue;
    const found = await catalogue.findAnyVersion(
      grant.through(leaf.registry),
      packageName,
      version,
    );
    if (found !== undefined) return found;
  }
  return undefined;
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
    return sendText(c, Buffer.from(renderPlugins(plugins)), checksum);
  }
  const { baseUrl } = c.get("caller");
  if (checksum !== undefined) {
    return sendSum(c, sumOf(await documents.text(document, baseUrl), checksum));
  }
  const sums =
    document.lengthBytes > MAX_SUMMED_BYTES
      ? {}
      : sumHeaders(await documents.text(document, baseUrl));
  return documents.send(c, document, { ...sums, vary: "accept-encoding" });
}

function sendText(
  c: Context<AppEnv>,
  bytes: Uint8Array,
  checksum: DigestAlgorithm | undefined,
): Response {
  if (checksum !== undefined) return sendSum(c, sumOf(bytes, checksum));
  return c.body(bodyBytes(bytes), 200, {
    ...sumHeaders(bytes),
    "content-type": XML_TYPE,
    "cache-control": "private, no-cache",
    // It may be as an upstream wrote it, and must never run as a page of ours.
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
  });
}

function sendSum(c: Context<AppEnv>, hex: string): Response {
  return c.body(hex, 200, { "content-type": "text/plain", "cache-control": "private, no-cache" });
}

const sumOf = (bytes: Uint8Array, algorithm: DigestAlgorithm): string =>
  createHash(algorithm).update(bytes).digest("hex");

/** Spares Maven 3.9 and later the request for the sum, which might be that of newer text. */
const sumHeaders = (bytes: Uint8Array): Record<string, string> => ({
  "x-checksum-md5": sumOf(bytes, "md5"),
  "x-checksum-sha1": sumOf(bytes, "sha1"),
});
