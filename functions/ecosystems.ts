import type { EcosystemFactories } from "../shared/services/services.ts";
import { createGenericEcosystem } from "./generic/ecosystem.ts";
import { createMavenEcosystem } from "./maven/ecosystem.ts";
import { createNpmEcosystem } from "./npm/ecosystem.ts";
import { createOciEcosystem } from "./oci/ecosystem.ts";
import { createPypiEcosystem } from "./pypi/ecosystem.ts";

/** What the services need to know of each ecosystem. Apart from `PROTOCOLS`, so that a function gets no other's app. */
export const ECOSYSTEM_FACTORIES: EcosystemFactories = {
  generic: createGenericEcosystem,
  maven: createMavenEcosystem,
  npm: createNpmEcosystem,
  oci: createOciEcosystem,
  pypi: createPypiEcosystem,
};
