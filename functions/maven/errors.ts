import type { RegistryErrorCode } from "../../shared/errors.ts";
import { createProblemRenderer } from "../../shared/http/problems.ts";

/** Build tools show the status and little else; 404 makes them look in the next repository, so nothing else does. */
const MAVEN_STATUSES = {
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  "already-exists": 409,
  "version-exists": 409,
  conflict: 409,
  "invalid-input": 400,
  "digest-mismatch": 400,
  "too-large": 413,
  "confirmation-required": 400,
  "precondition-failed": 412,
  unsupported: 400,
  "rate-limited": 429,
  unavailable: 503,
  "upstream-failed": 502,
} as const satisfies Record<RegistryErrorCode, number>;

export const mavenErrors = createProblemRenderer(MAVEN_STATUSES);
