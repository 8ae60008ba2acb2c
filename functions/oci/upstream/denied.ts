import { UpstreamFailedError } from "../../../shared/errors.ts";

/**
 * The upstream knows who we are, or needs not to, and does not let us have a repository: to registries that hide what
 * they do not give, that is how something is missing.
 */
export class UpstreamDeniedError extends UpstreamFailedError {}
