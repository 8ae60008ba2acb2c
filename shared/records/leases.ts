import type { Key, WriteOp } from "../ports/table.ts";

/** One process at a time does the work that a lease names; it ends by itself when its owner dies. */
export const leaseKey = (work: string): Key => ({ pk: `LEASE#${work}`, sk: "LEASE" });

/** Fails while somebody else holds it. */
export const takeLeaseOp = (work: string, owner: string, expiresAtSeconds: number): WriteOp => ({
  op: "put",
  item: { key: leaseKey(work), attributes: { owner }, expiresAtSeconds },
  conditions: [{ kind: "absent" }],
});

/** Fails when it ended before and somebody else took it. */
export const extendLeaseOp = (work: string, owner: string, expiresAtSeconds: number): WriteOp => ({
  op: "update",
  key: leaseKey(work),
  expiresAtSeconds,
  conditions: [{ kind: "equals", attribute: "owner", value: owner }],
});

export const endLeaseOp = (work: string, owner: string): WriteOp => ({
  op: "delete",
  key: leaseKey(work),
  conditions: [{ kind: "equals", attribute: "owner", value: owner }],
});
