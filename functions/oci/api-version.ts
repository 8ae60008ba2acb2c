/**
 * What every answer says, a 401 too, from before there was a specification:
 * https://distribution.github.io/distribution/spec/api/#api-version-check.
 *
 * Pulls bring it along with their other headers: one that is added to a `Response` makes a list of all of them, a
 * fifth of the work of a manifest's GET.
 */
export const API_VERSION_HEADER = "docker-distribution-api-version";
export const API_VERSION = "registry/2.0";
