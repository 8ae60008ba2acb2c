import { InvalidInputError } from "../../shared/errors.ts";
import type { Services, UploadIntake } from "../../shared/services/services.ts";
import {
  type CheckedDistribution,
  scanFor,
  startBlake2b256,
} from "./intake/distribution-intake.ts";
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
  const scanned = await scanStored(services, digests.sha256, path);
  await publish(services, grant, {
    project: packageName,
    fileName: path,
    checked: { sizeBytes, digests, ...scanned },
    attestations: "",
    store: async () => {},
  });
};

async function scanStored(
  services: Services,
  sha256: string,
  fileName: string,
): Promise<Pick<CheckedDistribution, "blake2b256" | "metadata">> {
  const stream = await services.stores.blobs.open(sha256);
  if (stream === undefined) throw new Error(`the blob ${sha256} of an upload is missing`);
  const blake2b = await startBlake2b256();
  const scan = scanFor(fileName);
  try {
    for await (const chunk of stream) {
      blake2b.update(chunk);
      await scan.write(chunk);
    }
    return { metadata: await scan.finish(), blake2b256: blake2b.digest() };
  } finally {
    scan.destroy();
  }
}
