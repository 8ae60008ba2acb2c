import { InvalidInputError } from "../../shared/errors.ts";
import type { Services, UploadIntake } from "../../shared/services/services.ts";
import { scanFor } from "./intake/distribution-intake.ts";
import { parseDistributionName } from "./names.ts";
import { publish } from "./publication.ts";
import { compareVersions } from "./versions.ts";

/** Publishes a distribution that came by an upload ticket. */
export const takePypiUpload: UploadIntake = async (services, grant, upload) => {
  const { packageName, version, path, sizeBytes, digests } = upload;
  const name = parseDistributionName(path, packageName);
  if (compareVersions(name.version, version) !== 0) {
    throw new InvalidInputError(
      `The file is of version ${name.version}, but the upload is of ${version}.`,
      [{ at: "version", problem: "not that of the file" }],
    );
  }
  const metadata = await scanStored(services, digests.sha256, path);
  await publish(services, grant, {
    project: packageName,
    fileName: path,
    checked: { sizeBytes, digests, blake2b256: "", metadata },
    attestations: "",
    store: async () => {},
  });
};

async function scanStored(
  services: Services,
  sha256: string,
  fileName: string,
): Promise<Uint8Array> {
  const stream = await services.stores.blobs.open(sha256);
  if (stream === undefined) throw new Error(`the blob ${sha256} of an upload is missing`);
  const scan = scanFor(fileName);
  try {
    for await (const chunk of stream) await scan.write(chunk);
    return await scan.finish();
  } finally {
    scan.destroy();
  }
}
