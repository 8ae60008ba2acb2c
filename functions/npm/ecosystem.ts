import semver from "semver";
import type { EcosystemFactory } from "../../shared/services/services.ts";
import { parsePackageName, parseVersion } from "./names.ts";
import { ABBREVIATED_RENDERER, FULL_RENDERER } from "./render.ts";

/** npm, as the shared services see it. */
export const createNpmEcosystem: EcosystemFactory = () => ({
  name: "npm",
  renderers: [FULL_RENDERER, ABBREVIATED_RENDERER],
  needsLatestTag: true,
  parsePackageName,
  parseVersion,
  compareVersions: (a, b) => semver.compare(a, b),
  isPrerelease: (version) => semver.prerelease(version) !== null,
});
