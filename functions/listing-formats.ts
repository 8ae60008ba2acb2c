import type { ListingFormats } from "../shared/services/services.ts";
import { MAVEN_LISTINGS } from "./maven/listing.ts";
import { NPM_LISTINGS } from "./npm/listing.ts";
import { PYPI_LISTINGS } from "./pypi/listing.ts";

/**
 * How packages of other registries are read. Apart from `ECOSYSTEM_FACTORIES`, so that a function gets no other
 * ecosystem's parsers.
 */
export const LISTING_FORMATS: ListingFormats = {
  maven: MAVEN_LISTINGS,
  npm: NPM_LISTINGS,
  pypi: PYPI_LISTINGS,
};
