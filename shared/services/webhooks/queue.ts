import type { RegistryEvent } from "../../domain/audit.ts";
import type { DeliveredEvent, Delivery } from "../../domain/webhook.ts";

const HOUR_MS = 3_600_000;
/** How long we go on trying to deliver an event. */
export const GIVE_UP_MS = 24 * HOUR_MS;
/** How long the log keeps a delivery. Longer than any event can come again from the outbox, which gives up after a day. */
const KEEP_MS = 7 * 24 * HOUR_MS;

/** Unix seconds at which the rows of a delivery that was touched at `nowMs` go. */
export const deliveryExpiry = (nowMs: number): number => Math.ceil((nowMs + KEEP_MS) / 1000);

/** A delivery that is due at once. */
export const newDelivery = (webhookId: string, event: DeliveredEvent, nowMs: number): Delivery => ({
  webhookId,
  event,
  state: "pending",
  attempts: 0,
  createdAtMs: nowMs,
  dueAtMs: nowMs,
  giveUpAtMs: nowMs + GIVE_UP_MS,
  lastAttemptAtMs: 0,
  lastDurationMs: 0,
  lastStatus: 0,
  lastError: "",
});

/** What is sent of an event of ours. */
export const deliveredEvent = (event: RegistryEvent): DeliveredEvent => ({
  id: event.id,
  kind: event.action,
  atMs: event.atMs,
  actor: event.actor,
  requestId: event.requestId,
  registry: event.registry,
  package: event.package,
  version: event.version,
  detail: event.detail,
});

const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 4 * HOUR_MS;

/**
 * Milliseconds until the next attempt after `attempts` that failed: 5 s, 15 s, 45 s … 4 h, a quarter more or
 * less, so that what failed together does not come back together. Some 14 attempts in a day.
 */
export function retryPauseMs(attempts: number, random: number): number {
  const pause = Math.min(FIRST_PAUSE_MS * 3 ** (attempts - 1), LONGEST_PAUSE_MS);
  return Math.round(pause * (0.75 + random / 2));
}
