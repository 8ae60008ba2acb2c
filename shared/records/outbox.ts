import { createHash } from "node:crypto";
import { AUDIT_ACTIONS, type RegistryEvent } from "../domain/audit.ts";
import type { Item, Key, Query, WriteOp } from "../ports/table.ts";
import { text, word } from "./attributes.ts";
import { toAuditEntry } from "./audit.ts";

/** Events are spread over this many partitions by their package, so that one package's stay in order. */
export const OUTBOX_SHARDS = 8;

/** Begins the partition of every event, and of nothing else. */
export const OUTBOX_PREFIX = "OUTBOX#";

function shardOf(event: RegistryEvent): number {
  const digest = createHash("sha256").update(`${event.registryId}#${event.package}`).digest();
  return digest.readUInt8(0) % OUTBOX_SHARDS;
}

export const outboxOp = (event: RegistryEvent): WriteOp => ({
  op: "put",
  item: {
    key: { pk: `${OUTBOX_PREFIX}${shardOf(event)}`, sk: event.id },
    attributes: { ...event },
  },
});

export function toEvent(item: Item): RegistryEvent {
  return {
    ...toAuditEntry(item),
    action: word(item, "action", AUDIT_ACTIONS),
    registryId: text(item, "registryId"),
  };
}

/** Oldest first. */
export const outboxQuery = (shard: number, limit: number): Query => ({
  pk: `${OUTBOX_PREFIX}${shard}`,
  limit,
});

export const deleteEventOp = (key: Key): WriteOp => ({ op: "delete", key });
