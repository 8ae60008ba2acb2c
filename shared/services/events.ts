import type { RegistryEvent } from "../domain/audit.ts";
import { deleteEventOp, OUTBOX_SHARDS, outboxQuery, toEvent } from "../records/outbox.ts";
import type { Stores } from "./stores.ts";

/** Takes events; the same one may come again. What it throws keeps the batch for another try. */
export interface EventConsumer {
  readonly name: string;
  consume(events: readonly RegistryEvent[]): Promise<void>;
}

/** Fits one transaction of deletions. */
const BATCH = 100;
/** An event that could not be delivered for this long is given up with an error in the log. */
const MAX_AGE_MS = 24 * 3_600_000;

/** Carries events from the outbox to their consumers: at least once, in order within a package. */
export class Events {
  /** Whom events go to. On AWS each gets them from a queue instead of {@link Events.deliver}. */
  readonly consumers: readonly EventConsumer[];
  readonly #stores: Stores;

  constructor(stores: Stores, consumers: readonly EventConsumer[]) {
    this.#stores = stores;
    this.consumers = consumers;
  }

  /** Delivers what is there; gives the number of events delivered. */
  async deliver(): Promise<number> {
    let delivered = 0;
    for (let shard = 0; shard < OUTBOX_SHARDS; shard++) {
      for (;;) {
        const count = await this.#deliverBatch(shard);
        delivered += count;
        if (count < BATCH) break;
      }
    }
    return delivered;
  }

  async #deliverBatch(shard: number): Promise<number> {
    const { table, log, now } = this.#stores;
    const { items } = await table.query(outboxQuery(shard, BATCH));
    if (items.length === 0) return 0;
    const events = items.map(toEvent);
    for (const consumer of this.consumers) {
      try {
        await consumer.consume(events);
      } catch (error) {
        const oldest = events[0]?.atMs ?? now();
        log.error("events.delivery-failed", error, {
          consumer: consumer.name,
          shard,
          events: events.length,
        });
        if (now() - oldest < MAX_AGE_MS) return 0;
        log.error("events.given-up", error, {
          consumer: consumer.name,
          shard,
          events: events.length,
        });
      }
    }
    await table.write(items.map((item) => deleteEventOp(item.key)));
    return items.length;
  }
}
