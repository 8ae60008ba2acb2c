import type { EcosystemName } from "../shared/domain/registry.ts";
import type { UploadIntake } from "../shared/services/services.ts";
import { takeGenericUpload } from "./generic/upload-intake.ts";
import { takeMavenUpload } from "./maven/upload-intake.ts";
import { takeNpmUpload } from "./npm/upload-intake.ts";
import { takeOciUpload } from "./oci/upload-intake.ts";
import { takePypiUpload } from "./pypi/upload-intake.ts";

/**
 * What becomes of completed uploads. Apart from `ECOSYSTEM_FACTORIES`, so that only the API's function gets every
 * ecosystem's readers of archives and metadata.
 */
export const UPLOAD_INTAKES: Readonly<Record<EcosystemName, UploadIntake>> = {
  generic: takeGenericUpload,
  maven: takeMavenUpload,
  npm: takeNpmUpload,
  oci: takeOciUpload,
  pypi: takePypiUpload,
};
