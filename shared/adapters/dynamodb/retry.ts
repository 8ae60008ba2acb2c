import { setTimeout as delay } from "node:timers/promises";
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { TableUnavailableError } from "../../ports/table.ts";

// Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
// Fifty writers of one item need the later, longer waits; all of them together stay below 10 seconds.
const MAX_ATTEMPTS = 14;
const FIRST_WAIT_MILLISECONDS = 20;
const LONGEST_WAIT_MILLISECONDS = 1000;
/** After so long nothing is repeated: attempts that hang until they time out must not use up a function's time. */
const MAX_TOTAL_MILLISECONDS = 10_000;

const NOT_APPLIED = new Set([
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
  "TransactionConflictException",
  "TransactionInProgressException",
]);
const NOT_APPLIED_REASONS = new Set([
  "None",
  "ProvisionedThroughputExceeded",
  "ThrottlingError",
  "TransactionConflict",
]);
// What the caller or the deployment did wrong: another attempt would end the same way.
const FINAL = new Set([
  "ConditionalCheckFailedException",
  "IdempotentParameterMismatchException",
  "ItemCollectionSizeLimitExceededException",
  "TransactionCanceledException",
  "ValidationException",
]);
const UNREACHABLE = new Set([
  "AccessDeniedException",
  "CredentialsProviderError",
  "ExpiredTokenException",
  "ResourceNotFoundException",
  "UnrecognizedClientException",
]);

/**
 * Sends a request until it is answered, with growing random pauses.
 *
 * @param repeatable - whether the request may be sent again when it is unknown if it was carried out (a
 *   time-out, a 5xx): true for reads, for writes whose second run changes nothing, and for transactions,
 *   whose request token makes DynamoDB recognise them.
 * @throws {TableUnavailableError} when the attempts are used up, or the outcome of a request that is not
 *   repeatable is unknown. Refusals (a failed condition, an invalid request) pass as the SDK throws them.
 */
export async function sendWithRetries<Answer>(
  send: () => Promise<Answer>,
  repeatable: boolean,
): Promise<Answer> {
  const endsAt = performance.now() + MAX_TOTAL_MILLISECONDS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome === "refused") throw error;
      const again = outcome === "not applied" || (outcome === "unknown" && repeatable);
      if (!again || attempt === MAX_ATTEMPTS || performance.now() > endsAt) {
        throw new TableUnavailableError("DynamoDB cannot serve the request", { cause: error });
      }
      await pause(attempt);
    }
  }
}

/** Waits before another attempt; `attempt` counts from 1. */
export async function pause(attempt: number): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MILLISECONDS, FIRST_WAIT_MILLISECONDS * 2 ** attempt);
  await delay(Math.random() * longest);
}

function outcomeOf(error: unknown): "refused" | "not applied" | "unknown" | "unreachable" {
  if (!(error instanceof Error)) return "refused";
  if (error instanceof TransactionCanceledException) {
    const reasons = error.CancellationReasons ?? [];
    const conflict = reasons.every((reason) => NOT_APPLIED_REASONS.has(reason.Code ?? "None"));
    return conflict && reasons.length > 0 ? "not applied" : "refused";
  }
  if (NOT_APPLIED.has(error.name)) return "not applied";
  if (FINAL.has(error.name)) return "refused";
  if (UNREACHABLE.has(error.name)) return "unreachable";
  return "unknown";
}
