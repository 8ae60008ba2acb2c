import type { RegistryEvent } from "../../domain/audit.ts";
import { isDefined } from "../../domain/defined.ts";
import { type Delivery, type Lane, type Webhook, wantsEvent } from "../../domain/webhook.ts";
import { ConditionFailedError, type Item } from "../../ports/table.ts";
import {
  createDeliveryOps,
  deliveryKey,
  expireLaneOp,
  laneKey,
  toLane,
  wakeLaneOp,
} from "../../records/webhook-deliveries.ts";
import {
  retireWebhookOps,
  subscribedId,
  subscriptionsQuery,
  toWebhook,
  webhookKey,
} from "../../records/webhooks.ts";
import type { EventConsumer } from "../events.ts";
import { queryAll } from "../queries.ts";
import type { Stores } from "../stores.ts";
import { deliveredEvent, deliveryExpiry, GIVE_UP_MS, newDelivery } from "./queue.ts";

/** Two rows a delivery and one for the lane: well within a transaction. */
const DELIVERIES_A_WRITE = 40;
/** A write loses only against the same events in another worker, or against a deletion. */
const MAX_TRIES = 5;
const ROWS_A_READ = 50;
const HOUR_MS = 3_600_000;

interface Subscriber {
  readonly webhook: Webhook;
  readonly lane: Lane;
}

/**
 * Turns events into rows of deliveries, one for each webhook that wants the event, and sends nothing itself: a
 * receiver that does not answer holds up neither the outbox nor another receiver. Takes any batch, and any
 * event twice.
 */
export class WebhookFanOut implements EventConsumer {
  readonly name = "webhooks";
  readonly #stores: Stores;

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  async consume(events: readonly RegistryEvent[]): Promise<void> {
    for (const registryId of new Set(["", ...events.map((event) => event.registryId)])) {
      const subscribers = await this.#subscribers(registryId);
      const concerned =
        registryId === "" ? events : events.filter((event) => event.registryId === registryId);
      for (const { webhook, lane } of subscribers) {
        const wanted = concerned.filter((event) => wantsEvent(webhook, event));
        for (let start = 0; start < wanted.length; start += DELIVERIES_A_WRITE) {
          await this.#enqueue(lane, wanted.slice(start, start + DELIVERIES_A_WRITE));
        }
        if (registryId !== "" && concerned.some(({ action }) => action === "registry.delete")) {
          await this.#retire(webhook);
        }
      }
    }
  }

  async #subscribers(registryId: string): Promise<readonly Subscriber[]> {
    const { table } = this.#stores;
    const rows = await queryAll(table, (page) => subscriptionsQuery(registryId, page));
    const ids = rows.map(subscribedId);
    const found: Subscriber[] = [];
    for (let start = 0; start < ids.length; start += ROWS_A_READ) {
      const part = ids.slice(start, start + ROWS_A_READ);
      const items = await table.getMany([...part.map(webhookKey), ...part.map(laneKey)]);
      for (const [index] of part.entries()) {
        const webhook = items[index];
        const lane = items[index + part.length];
        if (webhook !== undefined && lane !== undefined) {
          found.push({ webhook: toWebhook(webhook), lane: toLane(lane) });
        }
      }
    }
    return found;
  }

  async #enqueue(lane: Lane, events: readonly RegistryEvent[]): Promise<void> {
    const { table, now } = this.#stores;
    for (let tries = 1; ; tries++) {
      const missing = await this.#missing(lane.webhookId, events);
      if (missing.length === 0) return;
      const nowMs = now();
      try {
        await table.write([
          ...missing.flatMap((delivery) => createDeliveryOps(delivery, deliveryExpiry(nowMs))),
          // What is paused stays paused: an event a second must not mean an attempt a second.
          wakeLaneOp(lane.webhookId, Math.max(nowMs, lane.pausedUntilMs)),
        ]);
        return;
      } catch (error) {
        if (!(error instanceof ConditionFailedError)) throw error;
        // Deleted meanwhile: nobody is left to tell.
        if ((await table.get(webhookKey(lane.webhookId))) === undefined) return;
        if (tries >= MAX_TRIES) throw error;
      }
    }
  }

  /** Deliveries of those events that this webhook does not have yet. */
  async #missing(
    webhookId: string,
    events: readonly RegistryEvent[],
  ): Promise<readonly Delivery[]> {
    const { table, now } = this.#stores;
    // A batch from a queue may hold one event twice.
    const distinct = [...new Map(events.map((event) => [event.id, event])).values()];
    const rows = await table.getMany(distinct.map(({ id }) => deliveryKey(webhookId, id)));
    const known = new Set(rows.filter(isDefined).map((row: Item) => row.key.sk));
    return distinct
      .filter(({ id }) => !known.has(deliveryKey(webhookId, id).sk))
      .map((event) => newDelivery(webhookId, deliveredEvent(event), now()));
  }

  /** The webhook goes with its registry, but for the time that its last deliveries may take. */
  async #retire(webhook: Webhook): Promise<void> {
    const expiresAtSeconds = Math.ceil((this.#stores.now() + GIVE_UP_MS + HOUR_MS) / 1000);
    try {
      await this.#stores.table.write([
        ...retireWebhookOps(webhook, expiresAtSeconds),
        expireLaneOp(webhook.id, expiresAtSeconds),
      ]);
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
    }
  }
}
