import type { EcosystemFactory } from "../../shared/services/services.ts";
import { readDescription } from "./description.ts";
import { normalize, parseProjectName } from "./names.ts";
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
});
