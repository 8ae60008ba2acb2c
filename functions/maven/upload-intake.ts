import type { Services, UploadIntake } from "../../shared/services/services.ts";
import { collect } from "../../shared/services/streams.ts";
import { contentTypeOf } from "./content-types.ts";
import { deployFile } from "./deploy.ts";
import { parseFileName } from "./layout.ts";
import { MAX_POM_BYTES, type PomFacts, readPom } from "./pom.ts";
import { parseArtifactName } from "./snapshots.ts";

/** Deploys a file that came by an upload ticket. */
export const takeMavenUpload: UploadIntake = async (services, grant, upload) => {
  const { packageName, version, path, sizeBytes, digests } = upload;
  const name = parseArtifactName(packageName, version, parseFileName(path));
  const pom: PomFacts | undefined =
    name?.extension === "pom" && name.classifier === ""
      ? readPom(await readStored(services, digests.sha256), packageName, version)
      : undefined;
  const file = { path, sizeBytes, digests, contentType: contentTypeOf(path) };
  await deployFile(services, grant, { packageName, version, file, pom });
};

async function readStored({ stores }: Services, sha256: string): Promise<Uint8Array> {
  const stream = await stores.blobs.open(sha256);
  if (stream === undefined) throw new Error(`the blob ${sha256} of an upload is missing`);
  return collect(stream, MAX_POM_BYTES);
}
