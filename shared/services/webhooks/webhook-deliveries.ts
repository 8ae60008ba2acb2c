import { ConflictError, NotFoundError } from "../../errors.ts";
import { timeOrderedId } from "../../domain/identifiers.ts";
import { actorName, type Caller } from "../../domain/principal.ts";
import type { Delivery, Webhook } from "../../domain/webhook.ts";
import { ConditionFailedError } from "../../ports/table.ts";
import { mapPage, type PageOf, type PageOptions } from "../../records/pages.ts";
import {
  changeDeliveryOps,
  createDeliveryOps,
  deliveriesQuery,
  deliveryKey,
  toDelivery,
  wakeLaneOp,
} from "../../records/webhook-deliveries.ts";
import type { Stores } from "../stores.ts";
import { renderEvent } from "./message.ts";
import { deliveryExpiry, GIVE_UP_MS, newDelivery } from "./queue.ts";
import type { WebhookAccess } from "./webhook-access.ts";

/** What was, and is to be, sent to webhooks, as people look at it. */
export class WebhookDeliveries {
  readonly #stores: Stores;
  readonly #access: WebhookAccess;
  readonly #baseUrl: string;

  /** `baseUrl`: origin of links in messages, without a slash at the end; empty when it is not known. */
  constructor(stores: Stores, access: WebhookAccess, baseUrl: string) {
    this.#stores = stores;
    this.#access = access;
    this.#baseUrl = baseUrl;
  }

  /** Newest first, of the last seven days. */
  async list(caller: Caller, id: string, options: PageOptions): Promise<PageOf<Delivery>> {
    await this.#access.open(caller, id, "webhooks:read");
    return mapPage(await this.#stores.table.query(deliveriesQuery(id, options)), toDelivery);
  }

  /** A delivery by its event's id, with the text that is sent. @throws {NotFoundError} */
  async get(
    caller: Caller,
    id: string,
    eventId: string,
  ): Promise<{ readonly delivery: Delivery; readonly body: string }> {
    await this.#access.open(caller, id, "webhooks:read");
    const delivery = await this.#readDelivery(id, eventId);
    return { delivery, body: renderEvent(delivery.event, this.#baseUrl) };
  }

  /** Queues an event of kind `ping`. @throws {ConflictError} when the webhook is disabled. */
  async ping(caller: Caller, id: string): Promise<Delivery> {
    const webhook = await this.#access.open(caller, id, "webhooks:write");
    requireEnabled(webhook);
    const nowMs = this.#stores.now();
    const delivery = newDelivery(
      id,
      {
        id: timeOrderedId(nowMs),
        kind: "ping",
        atMs: nowMs,
        actor: actorName(caller.principal),
        requestId: caller.requestId,
        registry: webhook.registry,
        package: "",
        version: "",
        detail: "",
      },
      nowMs,
    );
    try {
      await this.#stores.table.write([
        ...createDeliveryOps(delivery, deliveryExpiry(nowMs)),
        wakeLaneOp(id, nowMs),
      ]);
    } catch (error) {
      if (error instanceof ConditionFailedError) throw new NotFoundError("webhook", id);
      throw error;
    }
    return delivery;
  }

  /** Queues a delivery that is over once more, with the same id. @throws {ConflictError} unless it is over. */
  async redeliver(caller: Caller, id: string, eventId: string): Promise<Delivery> {
    const webhook = await this.#access.open(caller, id, "webhooks:write");
    requireEnabled(webhook);
    const before = await this.#readDelivery(id, eventId);
    const underWay = new ConflictError(`Delivery "${eventId}" is under way; wait for its end.`);
    if (before.state === "pending") throw underWay;
    const nowMs = this.#stores.now();
    const after: Delivery = {
      ...before,
      state: "pending",
      attempts: 0,
      dueAtMs: nowMs,
      giveUpAtMs: nowMs + GIVE_UP_MS,
    };
    try {
      await this.#stores.table.write([
        ...changeDeliveryOps(before, after, deliveryExpiry(nowMs)),
        wakeLaneOp(id, nowMs),
      ]);
    } catch (error) {
      if (error instanceof ConditionFailedError) throw underWay;
      throw error;
    }
    return after;
  }

  async #readDelivery(id: string, eventId: string): Promise<Delivery> {
    const item = await this.#stores.table.get(deliveryKey(id, eventId));
    if (item === undefined) throw new NotFoundError("delivery", eventId);
    return toDelivery(item);
  }
}

function requireEnabled(webhook: Webhook): void {
  if (webhook.enabled) return;
  throw new ConflictError(`Webhook "${webhook.id}" is disabled; enable it first.`);
}
