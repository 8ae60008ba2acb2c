import type { EcosystemFactory } from "../../shared/services/services.ts";
import { normalize, parseProjectName } from "./names.ts";
import { SIMPLE_HTML_RENDERER, SIMPLE_JSON_RENDERER } from "./render.ts";
import { JSON_API_RENDERER } from "./render-json-api.ts";
import { compareVersions, isPrerelease, parseVersion } from "./versions.ts";

/** Python packages, as the shared services see them. */
export const createPypiEcosystem: EcosystemFactory = () => ({
  name: "pypi",
  renderers: [SIMPLE_JSON_RENDERER, SIMPLE_HTML_RENDERER, JSON_API_RENDERER],
  parsePackageName: parseProjectName,
  canonicalPattern: normalize,
  parseVersion,
  compareVersions,
  isPrerelease,
});
