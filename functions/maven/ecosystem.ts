import type { EcosystemFactory, Services } from "../../shared/services/services.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { UploadedFile } from "../../shared/services/ecosystem.ts";
import { collect } from "../../shared/services/streams.ts";
import { contentTypeOf } from "./content-types.ts";
import { deployFile } from "./deploy.ts";
import { parseFileName, parsePackageName, parseVersion } from "./layout.ts";
import { MAVEN_LISTINGS } from "./listing.ts";
import { MAX_POM_BYTES, type PomFacts, readPom } from "./pom.ts";
import { METADATA_RENDERER } from "./render.ts";
import { sweepMaven } from "./retention.ts";
import { parseArtifactName } from "./snapshots.ts";
import { compareVersions, isPrerelease } from "./versions.ts";

/** Maven, as the shared services see it: packages are `group:artifact`, files are named as in the layout. */
export const createMavenEcosystem: EcosystemFactory = (services) => ({
  name: "maven",
  renderers: [METADATA_RENDERER],
  listings: MAVEN_LISTINGS,
  parsePackageName,
  parseVersion,
  parseUploadPath: parseFileName,
  compareVersions,
  isPrerelease,
  publishUpload: (grant, file) => publishUpload(services(), grant, file),
  sweep: () => sweepMaven(services()),
});

async function publishUpload(
  services: Services,
  grant: RegistryGrant,
  { packageName, version, path, sizeBytes, digests }: UploadedFile,
): Promise<void> {
  const name = parseArtifactName(packageName, version, parseFileName(path));
  const pom: PomFacts | undefined =
    name?.extension === "pom" && name.classifier === ""
      ? readPom(await readStored(services, digests.sha256), packageName, version)
      : undefined;
  const file = { path, sizeBytes, digests, contentType: contentTypeOf(path) };
  await deployFile(services, grant, { packageName, version, file, pom });
}

async function readStored({ stores }: Services, sha256: string): Promise<Uint8Array> {
  const stream = await stores.blobs.open(sha256);
  if (stream === undefined) throw new Error(`the blob ${sha256} of an upload is missing`);
  return collect(stream, MAX_POM_BYTES);
}
