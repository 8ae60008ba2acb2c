import type { RegistryGrant } from "../../shared/services/access.ts";
import type { UploadedFile } from "../../shared/services/ecosystem.ts";
import type { EcosystemFactory, Services } from "../../shared/services/services.ts";
import { InvalidInputError } from "../../shared/errors.ts";
import { readDescription } from "./description.ts";
import {
  type CheckedDistribution,
  scanFor,
  startBlake2b256,
} from "./intake/distribution-intake.ts";
import { normalize, parseDistributionName, parseProjectName } from "./names.ts";
import { publish } from "./publication.ts";
import { FILE_RULES } from "./release.ts";
import { SIMPLE_HTML_RENDERER, SIMPLE_JSON_RENDERER } from "./render.ts";
import { JSON_API_RENDERER } from "./render-json-api.ts";
import { compareVersions, isPrerelease, parseVersion } from "./versions.ts";

/** Python packages, as the shared services see them. */
export const createPypiEcosystem: EcosystemFactory = (services) => ({
  name: "pypi",
  renderers: [SIMPLE_JSON_RENDERER, SIMPLE_HTML_RENDERER, JSON_API_RENDERER],
  hasStanding: true,
  countsListing: true,
  avoidsDeprecated: true,
  fileRules: FILE_RULES,
  readReadme: (version) => readDescription(services(), version),
  parsePackageName: parseProjectName,
  canonicalPattern: normalize,
  parseVersion,
  compareVersions,
  isPrerelease,
  publishUpload: (grant, file) => publishUpload(services(), grant, file),
});

/** Publishes a distribution that came by an upload ticket. */
async function publishUpload(
  services: Services,
  grant: RegistryGrant,
  { packageName, version, path, sizeBytes, digests }: UploadedFile,
): Promise<void> {
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
}

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
