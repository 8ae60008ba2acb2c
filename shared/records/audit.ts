import { AUDIT_ACTIONS, type AuditEntry } from "../domain/audit.ts";
import { sortableMs } from "../domain/identifiers.ts";
import type { Item, Query, SortRange, WriteOp } from "../ports/table.ts";
import { number, text, word } from "./attributes.ts";
import { packagePartition } from "./packages.ts";
import type { PageOptions } from "./pages.ts";

/** `yyyy-mm-dd` in UTC: one partition a day keeps the newest entries one query away. */
export const auditDay = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);

const sortKey = (entry: AuditEntry): string => `${sortableMs(entry.atMs)}#${entry.id}`;

/** The entry by day and, through the index, by actor; once more in its package's partition where it has one. */
export function auditOps(entry: AuditEntry, registryId: string): readonly WriteOp[] {
  const byTime: WriteOp = {
    op: "put",
    item: {
      key: { pk: `AUDIT#${auditDay(entry.atMs)}`, sk: sortKey(entry) },
      index: { pk: `ACTOR#${entry.actor}`, sk: sortKey(entry) },
      attributes: { ...entry },
    },
  };
  if (entry.package === "") return [byTime];
  const byPackage: WriteOp = {
    op: "put",
    item: {
      key: { pk: packagePartition(registryId, entry.package), sk: `A#${sortKey(entry)}` },
      attributes: { ...entry },
    },
  };
  return [byTime, byPackage];
}

export function toAuditEntry(item: Item): AuditEntry {
  return {
    id: text(item, "id"),
    atMs: number(item, "atMs"),
    action: word(item, "action", AUDIT_ACTIONS),
    actor: text(item, "actor"),
    tokenId: text(item, "tokenId"),
    address: text(item, "address"),
    requestId: text(item, "requestId"),
    registry: text(item, "registry"),
    package: text(item, "package"),
    version: text(item, "version"),
    detail: text(item, "detail"),
  };
}

/** Unix milliseconds, `fromMs` inclusive, `toMs` exclusive. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

const range = (times: TimeRange, prefix = ""): SortRange => ({
  from: prefix + sortableMs(times.fromMs),
  before: prefix + sortableMs(times.toMs),
});

/** All three are newest first. */
export const auditByDayQuery = (day: string, times: TimeRange, options: PageOptions): Query => ({
  pk: `AUDIT#${day}`,
  range: range(times),
  descending: true,
  ...options,
});

export const auditByActorQuery = (
  actor: string,
  times: TimeRange,
  options: PageOptions,
): Query => ({
  pk: `ACTOR#${actor}`,
  index: true,
  range: range(times),
  descending: true,
  ...options,
});

export const auditByPackageQuery = (
  registryId: string,
  packageName: string,
  times: TimeRange,
  options: PageOptions,
): Query => ({
  pk: packagePartition(registryId, packageName),
  range: range(times, "A#"),
  descending: true,
  ...options,
});
