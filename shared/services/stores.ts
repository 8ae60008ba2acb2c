import type { OutboundHttp } from "../ports/outbound-http.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Keys } from "../ports/keys.ts";
import type { Log } from "../ports/log.ts";
import type { Table } from "../ports/table.ts";
import type { EcosystemName } from "../domain/registry.ts";
import type { Ecosystem } from "./ecosystem.ts";

/** What a composition root gives the services. */
export interface Stores {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly keys: Keys;
  readonly log: Log;
  /** Fetches from servers of somebody else. */
  readonly outbound: OutboundHttp;
  /** Compressed documents up to this stay in the table, larger ones become blobs. Default: 300 KiB. */
  readonly maxRowDocumentBytes?: number;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export type Ecosystems = Readonly<Record<EcosystemName, Ecosystem>>;
