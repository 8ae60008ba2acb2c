import { isDefined } from "../../domain/defined.ts";
import type { Delivery, Lane, Webhook } from "../../domain/webhook.ts";
import { ConditionFailedError } from "../../ports/table.ts";
import {
  changeDeliveryOps,
  deliveryKey,
  dequeueOp,
  queueQuery,
  releaseLaneOp,
  toDelivery,
  toQueued,
} from "../../records/webhook-deliveries.ts";
import { disableWebhookOp, toWebhook, webhookKey } from "../../records/webhooks.ts";
import { recordOps } from "../audit.ts";
import type { Stores } from "../stores.ts";
import { WORKER } from "../tokens.ts";
import { deliveryExpiry, retryPauseMs } from "./queue.ts";
import { type Outcome, send, type SendOptions } from "./send.ts";

/** A lane is let go after this long, so that nobody holds it for ever. */
const RUN_MS = 30_000;
/** Requests to one receiver at once. */
const PARALLEL = 5;
/** So many failures in a row mean that the receiver is down: then it is asked once a pause. */
const FAILURES_BEFORE_PAUSE = 5;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
/** A webhook that took nothing for this long is disabled. */
const DISABLE_AFTER_MS = 5 * 86_400_000;
const GONE = 410;

interface Attempted {
  readonly before: Delivery;
  readonly outcome: Outcome;
}

/** Sends what is due of one webhook, whose lane the caller holds, and lets go of the lane. Gives the attempts. */
export async function runLane(
  stores: Stores,
  options: SendOptions,
  claimed: Lane,
  signal?: AbortSignal,
): Promise<number> {
  const { table, now } = stores;
  const untilMs = now() + RUN_MS;
  let lane = claimed;
  let attempts = 0;
  let active = true;
  const mayGoOn = (): boolean => signal?.aborted !== true && now() < untilMs;
  while (mayGoOn()) {
    const item = await table.get(webhookKey(lane.webhookId));
    const webhook = item === undefined ? undefined : toWebhook(item);
    active = webhook?.enabled === true;
    if (webhook === undefined || !active) break;
    const limit = lane.failures >= FAILURES_BEFORE_PAUSE ? 1 : PARALLEL;
    const due = await readDue(stores, lane.webhookId, limit);
    if (due.length === 0) break;
    const sent = await Promise.all(
      due.map(async (before): Promise<Attempted | undefined> => {
        const outcome = await send(stores, options, webhook, before, signal);
        return outcome === undefined ? undefined : { before, outcome };
      }),
    );
    const done = sent.filter(isDefined);
    attempts += done.length;
    lane = laneAfter(lane, done, now());
    await record(stores, webhook, lane, done);
    if (lane.pausedUntilMs > now()) break;
  }
  await release(stores, lane, active);
  return attempts;
}

async function readDue(
  { table, now }: Stores,
  webhookId: string,
  limit: number,
): Promise<readonly Delivery[]> {
  for (;;) {
    const { items } = await table.query(queueQuery(webhookId, limit, now()));
    if (items.length === 0) return [];
    const queued = items.map(toQueued);
    const rows = await table.getMany(queued.map(({ eventId }) => deliveryKey(webhookId, eventId)));
    const deliveries = rows.filter(isDefined).map(toDelivery);
    const pending = deliveries.filter(({ state }) => state === "pending");
    if (pending.length > 0) return pending;
    // Rows of a log that has expired: nothing is left of them but their places.
    await table.write(queued.map(({ key }) => dequeueOp(key)));
  }
}

function laneAfter(lane: Lane, done: readonly Attempted[], nowMs: number): Lane {
  if (done.length === 0) return lane;
  if (done.some(({ outcome }) => outcome.error === "")) {
    return { ...lane, failures: 0, failingSinceMs: 0, pausedUntilMs: 0 };
  }
  const failures = lane.failures + done.length;
  const doublings = Math.min(failures - FAILURES_BEFORE_PAUSE, 10);
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** doublings, LONGEST_PAUSE_MS);
  return {
    ...lane,
    failures,
    failingSinceMs: lane.failingSinceMs === 0 ? nowMs : lane.failingSinceMs,
    pausedUntilMs: failures >= FAILURES_BEFORE_PAUSE ? nowMs + pauseMs : 0,
  };
}

/** The delivery after an attempt: done, due once more, or given up. */
function deliveryAfter(before: Delivery, { status, error, atMs, durationMs }: Outcome): Delivery {
  const attempts = before.attempts + 1;
  const nextMs = atMs + durationMs + retryPauseMs(attempts, Math.random());
  const attempted = {
    ...before,
    attempts,
    lastAttemptAtMs: atMs,
    lastDurationMs: durationMs,
    lastStatus: status,
    lastError: error,
  };
  if (error === "") return { ...attempted, state: "delivered" };
  if (nextMs > before.giveUpAtMs) return { ...attempted, state: "failed" };
  return { ...attempted, dueAtMs: nextMs };
}

/** Sent first, written down second: after a crash between the two the same message is sent again. */
async function record(
  stores: Stores,
  webhook: Webhook,
  lane: Lane,
  done: readonly Attempted[],
): Promise<void> {
  const { table, now } = stores;
  const changes = done.map(({ before, outcome }) => ({
    before,
    after: deliveryAfter(before, outcome),
  }));
  for (const { before, after } of changes) {
    try {
      await table.write(changeDeliveryOps(before, after, deliveryExpiry(now())));
    } catch (error) {
      // Another worker wrote down its own attempt.
      if (!(error instanceof ConditionFailedError)) throw error;
    }
  }
  const gone = done.some(({ outcome }) => outcome.status === GONE);
  const givenUp = changes.some(({ after }) => after.state === "failed");
  const failingMs = lane.failingSinceMs === 0 ? 0 : now() - lane.failingSinceMs;
  if (gone) await disable(stores, webhook, "the receiver answered 410 Gone");
  // Only when a delivery had its full day: one that fails first after a quiet week says little.
  else if (givenUp && failingMs >= DISABLE_AFTER_MS) {
    const days = Math.floor(failingMs / 86_400_000);
    await disable(stores, webhook, `nothing could be delivered for ${days} days`);
  }
}

async function disable(stores: Stores, webhook: Webhook, reason: string): Promise<void> {
  const nowMs = Math.max(stores.now(), webhook.updatedAtMs + 1);
  const happening = {
    action: "webhook.disable" as const,
    registry: webhook.registry,
    package: "",
    version: "",
    detail: `${webhook.id}: ${reason}`,
  };
  try {
    await stores.table.write([
      disableWebhookOp(webhook, reason, nowMs),
      ...recordOps(WORKER, happening, webhook.registryId, nowMs),
    ]);
    stores.log.warn("webhooks.disabled", { webhook: webhook.id, reason });
  } catch (error) {
    // Changed by a person meanwhile: their word counts.
    if (!(error instanceof ConditionFailedError)) throw error;
  }
}

async function release({ table, now }: Stores, lane: Lane, active: boolean): Promise<void> {
  const [next] = active
    ? (await table.query(queueQuery(lane.webhookId, 1))).items.map(toQueued)
    : [];
  const dueAtMs = next === undefined ? undefined : Math.max(next.dueAtMs, lane.pausedUntilMs);
  try {
    await table.write([releaseLaneOp(lane, dueAtMs, lane.revision)]);
    return;
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
  }
  try {
    // Something was added while we were busy, or somebody enabled it again: whoever comes next looks.
    await table.write([releaseLaneOp(lane, Math.max(now(), lane.pausedUntilMs))]);
  } catch (error) {
    // Deleted, or taken over after its lease.
    if (!(error instanceof ConditionFailedError)) throw error;
  }
}
