import { createHash } from "node:crypto";
import type { FetchOrder } from "../ports/fetch-queue.ts";
import type { Item, Key, WriteOp } from "../ports/table.ts";
import { number, text, word } from "./attributes.ts";

/** What is known of a file that was ordered; the row is gone when the file is here, and expires by itself. */
export interface FetchState {
  readonly state: "ordered" | "failed";
  /** For whoever asks next; empty while it is ordered. */
  readonly why: string;
  /** Unix milliseconds from which on it is tried again. */
  readonly untilMs: number;
}

/** Tells files of upstreams apart. */
export const fetchName = ({ registryId, packageName, version, path }: FetchOrder): string =>
  JSON.stringify([registryId, packageName, version, path]);

/** Names and paths together may be longer than a key. */
export const fetchOrderKey = (order: FetchOrder): Key => ({
  pk: `FETCH#${createHash("sha256").update(fetchName(order)).digest("base64url")}`,
  sk: "FETCH",
});

export function toFetchState(item: Item): FetchState {
  return {
    state: word(item, "state", ["ordered", "failed"]),
    why: text(item, "why"),
    untilMs: number(item, "untilMs"),
  };
}

export const putFetchStateOp = (order: FetchOrder, state: FetchState): WriteOp => ({
  op: "put",
  item: {
    key: fetchOrderKey(order),
    attributes: { ...state },
    expiresAtSeconds: Math.ceil(state.untilMs / 1000),
  },
});

export const deleteFetchStateOp = (order: FetchOrder): WriteOp => ({
  op: "delete",
  key: fetchOrderKey(order),
});
