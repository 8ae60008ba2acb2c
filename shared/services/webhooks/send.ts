import type { Delivery, Webhook } from "../../domain/webhook.ts";
import type { Stores } from "../stores.ts";
import { signedMessage } from "./message.ts";
import { post } from "./post.ts";

const CONNECT_MS = 5_000;
const TOTAL_MS = 10_000;
const MAX_ERROR_LENGTH = 300;

/** How one attempt went, for metrics. */
export interface WebhookAttempt {
  readonly outcome: "delivered" | "refused" | "failed";
  readonly seconds: number;
}

export interface SendOptions {
  /** Loopback, private networks and plain http may be spoken to. */
  readonly allowPrivate: boolean;
  /** Origin of links, without a slash at the end; empty when it is not known. */
  readonly baseUrl: string;
  readonly attempted: (attempt: WebhookAttempt) => void;
}

export interface Outcome {
  readonly status: number;
  /** Empty for success. */
  readonly error: string;
  readonly atMs: number;
  readonly durationMs: number;
}

/**
 * One attempt.
 *
 * @returns `undefined` when `signal` broke it off: nobody knows then what the receiver got.
 * @throws what the keys throw: that we cannot sign is no failure of the receiver's.
 */
export async function send(
  stores: Stores,
  options: SendOptions,
  webhook: Webhook,
  delivery: Delivery,
  signal?: AbortSignal,
): Promise<Outcome | undefined> {
  const atMs = stores.now();
  const { baseUrl, allowPrivate } = options;
  const message = await signedMessage(stores.keys, webhook, delivery.event, {
    baseUrl,
    nowMs: atMs,
  });
  const started = performance.now();
  let status = 0;
  let error = "";
  try {
    status = await post(new URL(webhook.url), {
      ...message,
      allowPrivate,
      connectMs: CONNECT_MS,
      totalMs: TOTAL_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    error = problemOf(status);
  } catch (thrown) {
    if (signal?.aborted === true) return undefined;
    error = wordsOf(thrown).slice(0, MAX_ERROR_LENGTH).toWellFormed();
  }
  const durationMs = Math.round(performance.now() - started);
  const outcome = error === "" ? "delivered" : status === 0 ? "failed" : "refused";
  options.attempted({ outcome, seconds: durationMs / 1000 });
  // Never the URL: it may hold a secret.
  const fields = { webhook: webhook.id, event: delivery.event.id, status, durationMs };
  if (error === "") stores.log.info("webhooks.delivered", fields);
  else stores.log.warn("webhooks.attempt-failed", { ...fields, problem: error });
  return { status, error, atMs, durationMs };
}

function problemOf(status: number): string {
  if (status >= 200 && status < 300) return "";
  if (status >= 300 && status < 400) {
    return `answered ${status}; redirects are not followed, so name the final URL`;
  }
  return `answered ${status}`;
}

function wordsOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "failed";
  // Several addresses were tried; their reasons stand within.
  if (thrown instanceof AggregateError && thrown.message === "") {
    return thrown.errors.map(wordsOf).join("; ");
  }
  return thrown.message;
}
