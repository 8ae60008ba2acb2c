import type { EcosystemFactory } from "../../shared/services/services.ts";
import { parseFileName, parsePackageName, parseVersion } from "./layout.ts";
import { METADATA_RENDERER } from "./render.ts";
import { sweepMaven } from "./retention.ts";
import { compareVersions, isPrerelease } from "./versions.ts";

/** Maven, as the shared services see it: packages are `group:artifact`, files are named as in the layout. */
export const createMavenEcosystem: EcosystemFactory = (services) => ({
  name: "maven",
  renderers: [METADATA_RENDERER],
  parsePackageName,
  parseVersion,
  parseUploadPath: parseFileName,
  compareVersions,
  isPrerelease,
  sweep: () => sweepMaven(services()),
});
