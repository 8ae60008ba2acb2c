import { FILE_DIGESTS, requireDigests } from "../../shared/domain/digest.ts";
import { type Json, type JsonObject, property } from "../../shared/domain/json.ts";
import { VersionExistsError } from "../../shared/errors.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { NewFile, NewVersion } from "../../shared/services/new-version.ts";
import type { Services } from "../../shared/services/services.ts";
import type { CheckedTarball } from "./intake/tarball-intake.ts";
import { requireSamePackage, versionMetadata } from "./manifest.ts";
import { provenanceName, tarballName } from "./names.ts";
import { BUNDLE_CONTENT_TYPE, distAttestations, type Provenance } from "./provenance.ts";

const MAX_KEYWORDS = 100;
const MAX_README_LENGTH = 64 * 1024;

/** A version whose every part was read and checked. */
export interface Publication {
  readonly packageName: string;
  readonly version: string;
  readonly manifest: JsonObject;
  readonly tarball: CheckedTarball;
  readonly tags: readonly string[];
  /** Empty: that of the tarball. */
  readonly readme: string;
  readonly provenance: Provenance | undefined;
  /** See `Version.publishRun`. */
  readonly publishRun: string;
  /** Stores the tarball's bytes for good and gives their SHA-256. */
  readonly storeTarball: () => Promise<string>;
}

/**
 * Publishes a version: computes its `dist`, signs it, stores the bytes, then everything else in one
 * transaction.
 *
 * @throws {VersionExistsError} | {InvalidInputError}; nothing is stored then.
 */
export async function publish(
  services: Services,
  grant: RegistryGrant,
  publication: Publication,
): Promise<void> {
  const { packageName, version, manifest, tarball } = publication;
  requireSamePackage(packageName, version, tarball.facts.packageJson);
  await refuseKnownVersion(services, grant, publication);
  const tags = await withLatest(services, grant, publication);
  const metadata = versionMetadata(
    packageName,
    version,
    manifest,
    tarball,
    await distOf(services, publication),
  );
  const sha256 = await publication.storeTarball();
  const files: NewFile[] = [
    {
      path: tarballName(packageName, version),
      sizeBytes: tarball.sizeBytes,
      digests: { md5: tarball.md5, sha1: tarball.sha1, sha256, sha512: tarball.sha512 },
      contentType: "application/octet-stream",
    },
  ];
  if (publication.provenance !== undefined) {
    files.push(await storeProvenance(services, publication, publication.provenance));
  }
  const input: NewVersion = {
    packageName,
    version,
    metadata,
    files,
    tags,
    description: stringOf(property(manifest, "description")),
    keywords: keywordsOf(property(manifest, "keywords")),
    publishRun: publication.publishRun,
  };
  const readme = (publication.readme || tarball.facts.readme).slice(0, MAX_README_LENGTH);
  // The README that a package shows is that of its latest version.
  const shown = tags.includes("latest") && readme !== "";
  await services.publisher.publishVersion(grant, shown ? { ...input, readme } : input);
}

/** Before anything is stored; the transaction decides for good. */
async function refuseKnownVersion(
  services: Services,
  grant: RegistryGrant,
  { packageName, version, publishRun }: Publication,
): Promise<void> {
  const known = await services.catalogue.findAnyVersion(grant, packageName, version);
  if (known === undefined) return;
  if (publishRun === "" || known.publishRun !== publishRun) {
    throw new VersionExistsError(packageName, version);
  }
}

/** npm's clients cannot install a package without `latest`, so the first version gets it whatever its tag. */
async function withLatest(
  services: Services,
  grant: RegistryGrant,
  { packageName, tags }: Publication,
): Promise<readonly string[]> {
  if (tags.includes("latest")) return tags;
  const latest = await services.catalogue.findTag(grant, packageName, "latest");
  return latest === undefined ? [...tags, "latest"] : tags;
}

/** `dist` without the URLs, which depend on the host name that a client comes by. */
async function distOf(
  services: Services,
  { packageName, version, tarball, provenance }: Publication,
): Promise<JsonObject> {
  const integrity = `sha512-${Buffer.from(tarball.sha512, "hex").toString("base64")}`;
  // What pacote/lib/registry.js verifies.
  const { keyId, signatureBase64 } = await services.stores.keys.sign(
    `${packageName}@${version}:${integrity}`,
  );
  return {
    integrity,
    shasum: tarball.sha1,
    fileCount: tarball.facts.fileCount,
    unpackedSize: tarball.facts.unpackedSizeBytes,
    signatures: [{ keyid: keyId, sig: signatureBase64 }],
    ...(provenance === undefined ? {} : { attestations: distAttestations(provenance) }),
  };
}

async function storeProvenance(
  services: Services,
  { packageName, version }: Publication,
  provenance: Provenance,
): Promise<NewFile> {
  const stored = await services.stores.blobs.put(provenance.bytes, { algorithms: FILE_DIGESTS });
  return {
    path: provenanceName(packageName, version),
    sizeBytes: stored.sizeBytes,
    digests: requireDigests(stored.digests),
    contentType: BUNDLE_CONTENT_TYPE,
  };
}

const stringOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

/** npm allows an array, and people write a comma-separated text. */
function keywordsOf(value: Json | undefined): readonly string[] {
  const list =
    typeof value === "string" ? value.split(/[,\s]+/) : Array.isArray(value) ? value : [];
  return list
    .filter((word): word is string => typeof word === "string" && word !== "")
    .slice(0, MAX_KEYWORDS);
}
