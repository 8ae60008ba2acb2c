import type { Hono } from "hono";
import type { Keys } from "../../shared/ports/keys.ts";
import type { Blobs } from "../../shared/ports/blobs.ts";
import type { Table } from "../../shared/ports/table.ts";

/** A task that the server itself runs now and then. */
export interface HomeTask {
  readonly name: string;
  readonly everyMs: number;
  readonly run: () => Promise<unknown>;
}

/** Where a server keeps everything, and what it has to do itself because nothing else does. */
export interface Home {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly keys: Keys;
  /** In words, for the person who starts it. */
  readonly place: string;
  /** As `Stores` has it. */
  readonly maxRowDocumentBytes?: number;
  /** Answers the tickets of `blobs`; absent where those lead elsewhere. */
  readonly blobRoutes?: Hono;
  /** Delivers events and cleans up: not where stream and schedules of AWS do so. */
  readonly ownsBackground: boolean;
  readonly tasks: readonly HomeTask[];
  /** Generation of the key that signs upload tickets; absent: 1. */
  readonly ticketGeneration?: number;
}
