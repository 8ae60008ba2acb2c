import { createHash } from "node:crypto";
import { AUDIT_ACTIONS } from "../domain/audit.ts";
import { sortableMs } from "../domain/identifiers.ts";
import { DELIVERY_STATES, type Delivery, type Lane } from "../domain/webhook.ts";
import type { Attributes, IndexKey, Item, Key, Query, WriteOp } from "../ports/table.ts";
import { number, text, word } from "./attributes.ts";
import type { PageOptions } from "./pages.ts";
import { webhookPartition } from "./webhooks.ts";

/** Lanes that are due are spread over this many partitions of the index. */
export const LANE_SHARDS = 8;

const KINDS = [...AUDIT_ACTIONS, "ping"] as const;

/** Event ids sort by time, and so does the log. */
export const deliveryKey = (webhookId: string, eventId: string): Key => ({
  pk: webhookPartition(webhookId),
  sk: `D#${eventId}`,
});

function deliveryAttributes({ event, ...rest }: Delivery): Attributes {
  return { ...rest, ...event };
}

export function toDelivery(item: Item): Delivery {
  return {
    webhookId: text(item, "webhookId"),
    event: {
      id: text(item, "id"),
      kind: word(item, "kind", KINDS),
      atMs: number(item, "atMs"),
      actor: text(item, "actor"),
      requestId: text(item, "requestId"),
      registry: text(item, "registry"),
      package: text(item, "package"),
      version: text(item, "version"),
      detail: text(item, "detail"),
    },
    state: word(item, "state", DELIVERY_STATES),
    attempts: number(item, "attempts"),
    createdAtMs: number(item, "createdAtMs"),
    dueAtMs: number(item, "dueAtMs"),
    giveUpAtMs: number(item, "giveUpAtMs"),
    lastAttemptAtMs: number(item, "lastAttemptAtMs"),
    lastDurationMs: number(item, "lastDurationMs"),
    lastStatus: number(item, "lastStatus"),
    lastError: text(item, "lastError"),
  };
}

/** Newest first. */
export const deliveriesQuery = (webhookId: string, options: PageOptions): Query => ({
  pk: webhookPartition(webhookId),
  range: { prefix: "D#" },
  descending: true,
  ...options,
});

const queueKey = ({ webhookId, dueAtMs, event }: Delivery): Key => ({
  pk: webhookPartition(webhookId),
  sk: `Q#${sortableMs(dueAtMs)}#${event.id}`,
});

/** What of a webhook's queue is due until `nowMs` inclusive; without it, whatever is next. */
export const queueQuery = (webhookId: string, limit: number, nowMs?: number): Query => ({
  pk: webhookPartition(webhookId),
  range: {
    prefix: "Q#",
    ...(nowMs === undefined ? {} : { before: `Q#${sortableMs(nowMs + 1)}` }),
  },
  limit,
});

/** The delivery and the time of a row of {@link queueQuery}. */
export const toQueued = (item: Item) => ({
  key: item.key,
  eventId: text(item, "eventId"),
  dueAtMs: number(item, "dueAtMs"),
});

const queueOp = (delivery: Delivery, expiresAtSeconds: number): WriteOp => ({
  op: "put",
  item: {
    key: queueKey(delivery),
    attributes: { eventId: delivery.event.id, dueAtMs: delivery.dueAtMs },
    expiresAtSeconds,
  },
});

/** A delivery whose log row is gone leaves this behind. */
export const dequeueOp = (key: Key): WriteOp => ({ op: "delete", key });

/** Fails when this webhook has this event already. Rows are removed by themselves at `expiresAtSeconds`. */
export const createDeliveryOps = (
  delivery: Delivery,
  expiresAtSeconds: number,
): readonly WriteOp[] => [
  {
    op: "put",
    item: {
      key: deliveryKey(delivery.webhookId, delivery.event.id),
      attributes: deliveryAttributes(delivery),
      expiresAtSeconds,
    },
    conditions: [{ kind: "absent" }],
  },
  queueOp(delivery, expiresAtSeconds),
];

/**
 * The delivery after an attempt, or after somebody asked for another one: moves its place in the queue.
 * Fails unless it is as it was read.
 */
export const changeDeliveryOps = (
  before: Delivery,
  after: Delivery,
  expiresAtSeconds: number,
): readonly WriteOp[] => [
  {
    op: "put",
    item: {
      key: deliveryKey(after.webhookId, after.event.id),
      attributes: deliveryAttributes(after),
      expiresAtSeconds,
    },
    conditions: [
      { kind: "equals", attribute: "state", value: before.state },
      { kind: "equals", attribute: "attempts", value: before.attempts },
      { kind: "equals", attribute: "dueAtMs", value: before.dueAtMs },
    ],
  },
  ...(before.state === "pending" && (after.state !== "pending" || after.dueAtMs !== before.dueAtMs)
    ? [dequeueOp(queueKey(before))]
    : []),
  ...(after.state === "pending" ? [queueOp(after, expiresAtSeconds)] : []),
];

export const laneKey = (webhookId: string): Key => ({
  pk: webhookPartition(webhookId),
  sk: "LANE",
});

const lanePartition = (shard: number): string => `WEBHOOK-LANES#${shard}`;

function laneIndex(webhookId: string, dueAtMs: number): IndexKey {
  const shard = createHash("sha256").update(webhookId).digest().readUInt8(0) % LANE_SHARDS;
  return { pk: lanePartition(shard), sk: `${sortableMs(dueAtMs)}#${webhookId}` };
}

/** The lane of a new webhook, which has nothing to do. */
export const createLaneOp = (webhookId: string): WriteOp => ({
  op: "put",
  item: {
    key: laneKey(webhookId),
    attributes: {
      webhookId,
      revision: 0,
      leaseUntilMs: 0,
      pausedUntilMs: 0,
      failures: 0,
      failingSinceMs: 0,
    },
  },
});

export const deleteLaneOp = (webhookId: string): WriteOp => ({
  op: "delete",
  key: laneKey(webhookId),
});

/** The lane goes at that time. */
export const expireLaneOp = (webhookId: string, expiresAtSeconds: number): WriteOp => ({
  op: "update",
  key: laneKey(webhookId),
  expiresAtSeconds,
  conditions: [{ kind: "present" }],
});

export function toLane(item: Item): Lane {
  return {
    webhookId: text(item, "webhookId"),
    revision: number(item, "revision"),
    leaseUntilMs: number(item, "leaseUntilMs"),
    pausedUntilMs: number(item, "pausedUntilMs"),
    failures: number(item, "failures"),
    failingSinceMs: number(item, "failingSinceMs"),
  };
}

/** Lanes with something to do by `nowMs`, those that wait longest first. */
export const dueLanesQuery = (shard: number, nowMs: number, limit: number): Query => ({
  pk: lanePartition(shard),
  index: true,
  range: { before: sortableMs(nowMs + 1) },
  limit,
});

/** Has the workers look at a lane from `dueAtMs` on. Fails when the webhook is gone. */
export const wakeLaneOp = (webhookId: string, dueAtMs: number): WriteOp => ({
  op: "update",
  key: laneKey(webhookId),
  add: { revision: 1 },
  index: laneIndex(webhookId, dueAtMs),
  conditions: [{ kind: "present" }],
});

/** As {@link wakeLaneOp}, and what went wrong before is forgotten. */
export const resetLaneOp = (webhookId: string, dueAtMs: number): WriteOp => ({
  op: "update",
  key: laneKey(webhookId),
  set: { pausedUntilMs: 0, failures: 0, failingSinceMs: 0 },
  add: { revision: 1 },
  index: laneIndex(webhookId, dueAtMs),
  conditions: [{ kind: "present" }],
});

/** Takes the lane as it was read; fails when another worker, or an event, was quicker. */
export const claimLaneOp = (lane: Lane, leaseUntilMs: number): WriteOp => ({
  op: "update",
  key: laneKey(lane.webhookId),
  set: { leaseUntilMs },
  add: { revision: 1 },
  index: laneIndex(lane.webhookId, leaseUntilMs),
  conditions: [{ kind: "equals", attribute: "revision", value: lane.revision }],
});

/**
 * Lets go of a lane that is held until `leaseUntilMs`; nothing to do before `dueAtMs`, or at all when
 * `undefined`. With `revision`, fails when something was added meanwhile; fails when it is another's by now.
 */
export const releaseLaneOp = (
  lane: Lane,
  dueAtMs: number | undefined,
  revision?: number,
): WriteOp => {
  const { webhookId, leaseUntilMs, pausedUntilMs, failures, failingSinceMs } = lane;
  return {
    op: "update",
    key: laneKey(webhookId),
    set: { leaseUntilMs: 0, pausedUntilMs, failures, failingSinceMs },
    add: { revision: 1 },
    index: dueAtMs === undefined ? null : laneIndex(webhookId, dueAtMs),
    conditions: [
      { kind: "equals", attribute: "leaseUntilMs", value: leaseUntilMs },
      ...(revision === undefined
        ? []
        : [{ kind: "equals" as const, attribute: "revision", value: revision }]),
    ],
  };
};
