import { FILE_DIGESTS, requireDigests } from "../../shared/domain/digest.ts";
import type { JsonObject } from "../../shared/domain/json.ts";
import { InvalidInputError, VersionExistsError } from "../../shared/errors.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { NewFile } from "../../shared/services/new-version.ts";
import { requireUploadable } from "../../shared/services/package-changes.ts";
import type { Services } from "../../shared/services/services.ts";
import { parseAttestations, PROVENANCE_CONTENT_TYPE } from "./attestations.ts";
import { fieldText, parseCoreMetadata, requireSameRelease } from "./core-metadata.ts";
import type { CheckedDistribution } from "./intake/distribution-intake.ts";
import {
  type DistributionName,
  METADATA_SUFFIX,
  parseDistributionName,
  PKG_INFO_SUFFIX,
  PROVENANCE_SUFFIX,
} from "./names.ts";
import {
  countFiles,
  isUsedName,
  mergeRelease,
  type ReleaseFile,
  releaseMetadata,
} from "./release.ts";
import { spellingsOf } from "./versions.ts";

const MAX_FILES_A_RELEASE = 500;
const MAX_KEYWORDS = 100;

/** A distribution whose every part was read and checked. */
export interface Publication {
  /** Normalised. */
  readonly project: string;
  readonly fileName: string;
  readonly checked: CheckedDistribution;
  /** JSON, as it was sent; empty without. */
  readonly attestations: string;
  /** Stores the distribution's bytes for good. */
  readonly store: () => Promise<void>;
}

/**
 * Publishes a distribution into its release, which its file name and the metadata in it must agree on.
 *
 * @throws {VersionExistsError} when there is a file of this name with other bytes; {@link InvalidInputError}.
 *   Nothing is stored then.
 */
export async function publish(
  services: Services,
  grant: RegistryGrant,
  publication: Publication,
): Promise<"created" | "unchanged"> {
  const { project, fileName, checked } = publication;
  grant.require("packages:write", project);
  const name = parseDistributionName(fileName, project);
  const metadata = parseCoreMetadata(checked.metadata);
  requireSameRelease(metadata.fields, project, name.version);
  const { sha256 } = checked.digests;
  const provenance =
    publication.attestations === ""
      ? ""
      : parseAttestations(publication.attestations, fileName, sha256);
  // Before anything is stored; the transaction decides for good.
  const spellings = spellingsOf(name.version);
  const [pkg, versions] = await Promise.all([
    services.catalogue.findAnyPackage(grant, project),
    services.catalogue.findVersions(grant, project, spellings),
  ]);
  requireUploadable(pkg);
  // 1.0 and 1.0.0 are one release.
  const version = versions[0]?.version ?? name.version;
  const requireUnused = (metadata: JsonObject): void => {
    if (isUsedName(metadata, fileName, sha256)) {
      throw new VersionExistsError(project, version, fileName);
    }
  };
  requireUnused(versions[0]?.metadata ?? {});
  const isThere = await services.releaseFiles.holds(grant, project, version, {
    path: fileName,
    sha256,
  });
  if (isThere) return "unchanged";
  await publication.store();
  const files: NewFile[] = [
    {
      path: fileName,
      sizeBytes: checked.sizeBytes,
      digests: checked.digests,
      contentType: name.format === "zip" ? "application/zip" : "application/gzip",
    },
  ];
  const showsMetadata = name.kind === "wheel" || metadata.isStatic;
  const beside = async (
    suffix: string,
    bytes: Uint8Array,
    contentType: string,
  ): Promise<string> => {
    const file = await storeBeside(services, fileName + suffix, bytes, contentType);
    files.push(file);
    return file.digests.sha256;
  };
  const keepsMetadata = showsMetadata || metadata.description !== "";
  const suffix = showsMetadata ? METADATA_SUFFIX : PKG_INFO_SUFFIX;
  const metadataSha256 = keepsMetadata
    ? await beside(suffix, checked.metadata, "text/plain; charset=utf-8")
    : "";
  if (provenance !== "") {
    await beside(PROVENANCE_SUFFIX, Buffer.from(provenance), PROVENANCE_CONTENT_TYPE);
  }
  const added = releaseMetadata(metadata.fields, [
    toReleaseFile(name, checked, {
      requiresPython: fieldText(metadata.fields, "requires_python"),
      metadataSha256: showsMetadata ? metadataSha256 : "",
      pkgInfoSha256: showsMetadata ? "" : metadataSha256,
      hasProvenance: provenance !== "",
      uploadedAtMs: services.stores.now(),
    }),
  ]);
  return services.releaseFiles.publish(grant, {
    packageName: project,
    version,
    metadata: added,
    merge: (before) => {
      requireRoom(countFiles(before), version);
      requireUnused(before);
      return mergeRelease(before, added);
    },
    files,
    tags: [],
    description: fieldText(metadata.fields, "summary"),
    keywords: keywordsOf(fieldText(metadata.fields, "keywords")),
    readme: metadata.description,
    publishRun: "",
  });
}

async function storeBeside(
  services: Services,
  path: string,
  bytes: Uint8Array,
  contentType: string,
): Promise<NewFile> {
  const stored = await services.stores.blobs.put(bytes, { algorithms: FILE_DIGESTS });
  return {
    path,
    sizeBytes: stored.sizeBytes,
    digests: requireDigests(stored.digests),
    contentType,
  };
}

function toReleaseFile(
  name: DistributionName,
  { sizeBytes, digests, blake2b256 }: CheckedDistribution,
  more: Pick<
    ReleaseFile,
    "requiresPython" | "metadataSha256" | "pkgInfoSha256" | "hasProvenance" | "uploadedAtMs"
  >,
): ReleaseFile {
  const { fileName, kind, pythonVersion } = name;
  const { md5, sha256 } = digests;
  return { fileName, kind, pythonVersion, sizeBytes, md5, sha256, blake2b256, yanked: "", ...more };
}

function requireRoom(fileCount: number, version: string): void {
  if (fileCount < MAX_FILES_A_RELEASE) return;
  throw new InvalidInputError(
    `Release ${version} has ${fileCount} files, the limit here; publish a new release.`,
    [{ at: "content", problem: "too many files" }],
  );
}

/** Separated by commas; tools before setuptools 2.1 wrote spaces. */
function keywordsOf(text: string): readonly string[] {
  return text
    .split(text.includes(",") ? "," : /\s+/)
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .slice(0, MAX_KEYWORDS);
}
