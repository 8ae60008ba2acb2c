import type { RegistryEvent } from "../../shared/domain/audit.ts";
import type { Item } from "../../shared/ports/table.ts";
import { deleteEventOp, OUTBOX_SHARDS, outboxQuery, toEvent } from "../../shared/records/outbox.ts";
import type { Stores } from "../../shared/services/stores.ts";

/** A queue that leads to a consumer. */
export interface EventQueue {
  readonly name: string;
  /** Sends events, and gives the positions of those that were not taken; throws when none was. */
  send(events: readonly RegistryEvent[]): Promise<ReadonlySet<number>>;
}

/** Fits one transaction of deletions. */
const BATCH = 100;
/** A stream carries an event within a second or so; one that is still there after this was missed. */
const MISSED_MS = 15 * 60_000;

/**
 * Carries events from the outbox into the consumers' queues, at least once: a row goes when every queue has its event,
 * and not before.
 */
export class EventCarrier {
  readonly #stores: Stores;
  readonly #queues: readonly EventQueue[];

  constructor(stores: Stores, queues: readonly EventQueue[]) {
    this.#stores = stores;
    this.#queues = queues;
  }

  /** Carries rows of the outbox; gives the positions of those that must come again. */
  async carry(items: readonly Item[]): Promise<ReadonlySet<number>> {
    const failed = await this.#sendToAll(items);
    await this.#remove(items.filter((_, position) => !failed.has(position)));
    return failed;
  }

  /**
   * Carries what the stream has missed; gives the number of events.
   *
   * @throws when a queue does not take one, or a row does not go: it would be carried again and again.
   */
  async carryMissed(): Promise<number> {
    let carried = 0;
    for (let shard = 0; shard < OUTBOX_SHARDS; shard++) {
      for (;;) {
        const { items } = await this.#stores.table.query(outboxQuery(shard, BATCH));
        const limitMs = this.#stores.now() - MISSED_MS;
        const missed = items.filter((item) => toEvent(item).atMs < limitMs);
        if (missed.length === 0) break;
        const failed = await this.#sendToAll(missed);
        const sent = missed.filter((_, position) => !failed.has(position));
        const isRemoved = await this.#remove(sent);
        carried += sent.length;
        if (failed.size > 0) throw new Error(`${failed.size} missed events cannot be carried`);
        if (!isRemoved) throw new Error("events were carried, and their rows cannot be removed");
        if (missed.length < BATCH) break;
      }
    }
    return carried;
  }

  /** Gives the positions of those that some queue did not take. */
  async #sendToAll(items: readonly Item[]): Promise<ReadonlySet<number>> {
    const events = items.map(toEvent);
    const failed = new Set<number>();
    for (const queue of this.#queues) {
      for (const position of await this.#send(queue, events)) failed.add(position);
    }
    return failed;
  }

  async #send(queue: EventQueue, events: readonly RegistryEvent[]): Promise<Iterable<number>> {
    try {
      return await queue.send(events);
    } catch (error) {
      this.#stores.log.error("events.queue-failed", error, { queue: queue.name });
      return events.keys();
    }
  }

  /** Whether all went. A row that stays is carried once more by {@link EventCarrier.carryMissed}, which does no harm. */
  async #remove(items: readonly Item[]): Promise<boolean> {
    let isRemoved = true;
    for (let start = 0; start < items.length; start += BATCH) {
      const batch = items.slice(start, start + BATCH);
      try {
        await this.#stores.table.write(batch.map((item) => deleteEventOp(item.key)));
      } catch (error) {
        this.#stores.log.warn("events.row-stays", { rows: batch.length, why: String(error) });
        isRemoved = false;
      }
    }
    return isRemoved;
  }
}
