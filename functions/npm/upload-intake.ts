import semver from "semver";
import { type Json, property } from "../../shared/domain/json.ts";
import { InvalidInputError } from "../../shared/errors.ts";
import { latestOf } from "../../shared/services/ecosystem.ts";
import type { Services, UploadIntake } from "../../shared/services/services.ts";
import { TarballCheck, type TarballFacts } from "./intake/tarball-check.ts";
import { publish } from "./publication.ts";
import { manifestSchema, parseWith } from "./schema.ts";

/**
 * Publishes a tarball that came by an upload ticket, with the package.json in it as the manifest. It becomes
 * `latest` when it is the highest release, because the upload does not say.
 */
export const takeNpmUpload: UploadIntake = async (services, grant, file) => {
  const { packageName, version, digests, sizeBytes } = file;
  if (!file.path.endsWith(".tgz")) {
    throw new InvalidInputError(
      `An npm package is published as one tarball (.tgz), not as "${file.path.slice(0, 80)}"; pack it with "npm pack".`,
    );
  }
  const facts = await checkStored(services, digests.sha256);
  const manifest = {
    ...facts.packageJson,
    version: cleanVersion(property(facts.packageJson, "version")),
  };
  parseWith(manifestSchema, manifest, "The package.json in the tarball");
  const pkg = await services.catalogue.findPackage(grant, packageName);
  const isLatest = latestOf(services.ecosystems.npm, pkg?.latestVersion ?? "", version) === version;
  await publish(services, grant, {
    packageName,
    version,
    manifest,
    tarball: { facts, sizeBytes, md5: digests.md5, sha1: digests.sha1, sha512: digests.sha512 },
    tags: isLatest ? ["latest"] : [],
    readme: "",
    provenance: undefined,
    publishRun: "",
    storeTarball: async () => digests.sha256,
  });
};

async function checkStored(services: Services, sha256: string): Promise<TarballFacts> {
  const stream = await services.stores.blobs.open(sha256);
  if (stream === undefined) throw new Error(`the blob ${sha256} of an upload is missing`);
  const check = new TarballCheck();
  try {
    for await (const chunk of stream) await check.write(chunk);
    return await check.finish();
  } finally {
    check.destroy();
  }
}

function cleanVersion(version: Json | undefined): string {
  return typeof version === "string" && version.length <= 256
    ? (semver.clean(version, true) ?? version)
    : "";
}
