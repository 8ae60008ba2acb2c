import type { UploadIntake } from "../../shared/services/services.ts";

/** Gives an image the blob that came by an upload ticket. */
export const takeOciUpload: UploadIntake = async ({ blobLinks }, { registry }, upload) => {
  const { packageName, sizeBytes, digests } = upload;
  const { sha256 } = digests;
  const ref = { registryId: registry.id, packageName };
  await blobLinks.link(ref, { digest: `sha256:${sha256}`, sha256, sizeBytes });
};
