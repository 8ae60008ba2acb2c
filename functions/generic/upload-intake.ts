import type { UploadIntake } from "../../shared/services/services.ts";
import { parsePath } from "./names.ts";

/** Publishes a file that came by an upload ticket. */
export const takeGenericUpload: UploadIntake = async (services, grant, upload) => {
  const { packageName, version, path, ...file } = upload;
  await services.publisher.publishFile(grant, packageName, version, {
    ...file,
    path: parsePath(path.split("/")),
  });
};
