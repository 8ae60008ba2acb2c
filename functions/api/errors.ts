import type { RegistryErrorCode } from "../../shared/errors.ts";
import { createProblemRenderer } from "../../shared/http/problems.ts";

const API_STATUSES = {
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

export const apiErrors = createProblemRenderer(API_STATUSES);
