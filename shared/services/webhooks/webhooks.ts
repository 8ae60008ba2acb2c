import { ConflictError, InvalidInputError, NotFoundError } from "../../errors.ts";
import type { AuditAction } from "../../domain/audit.ts";
import { isDefined } from "../../domain/defined.ts";
import { randomText } from "../../domain/identifiers.ts";
import { actorName, type Caller } from "../../domain/principal.ts";
import type { Webhook } from "../../domain/webhook.ts";
import { ConditionFailedError } from "../../ports/table.ts";
import { mapPage, type PageOf, type PageOptions } from "../../records/pages.ts";
import { createLaneOp, deleteLaneOp, resetLaneOp } from "../../records/webhook-deliveries.ts";
import {
  createWebhookOps,
  deleteWebhookOps,
  listWebhooksQuery,
  replaceWebhookOp,
  subscribedId,
  subscriptionsQuery,
  toWebhook,
  webhookKey,
} from "../../records/webhooks.ts";
import { recordOps } from "../audit.ts";
import type { Stores } from "../stores.ts";
import { webhookSecret } from "./message.ts";
import type { WebhookAccess } from "./webhook-access.ts";
import { urlProblem } from "./webhook-url.ts";

/** What a webhook is made of; absent in an edit: stays as it is. */
export interface WebhookEdits {
  readonly url?: string;
  readonly events?: readonly AuditAction[];
  readonly packages?: readonly string[];
  readonly description?: string;
  readonly enabled?: boolean;
}

export interface NewWebhook extends WebhookEdits {
  readonly url: string;
  /** Slug; absent for the whole deployment. */
  readonly registry?: string;
}

export interface CreatedWebhook {
  readonly webhook: Webhook;
  /** Shown once. */
  readonly secret: string;
}

/** Of one registry, or of the deployment: each event is looked at once for each of them. */
const MAX_WEBHOOKS = 50;
/** How long a secret that was replaced still signs too. */
const OVERLAP_MS = 24 * 3_600_000;

/** Webhooks as people manage them. What they hear of is queued by the fan-out and sent by the deliverer. */
export class Webhooks {
  readonly #stores: Stores;
  readonly #access: WebhookAccess;
  readonly #allowPrivate: boolean;

  /** `allowPrivate`: plain http, and addresses that are not public, may be named. */
  constructor(stores: Stores, access: WebhookAccess, allowPrivate: boolean) {
    this.#stores = stores;
    this.#access = access;
    this.#allowPrivate = allowPrivate;
  }

  /** @throws {InvalidInputError} | {@link ConflictError} when there are too many, and as access does. */
  async create(caller: Caller, input: NewWebhook): Promise<CreatedWebhook> {
    const { registry: slug, ...edits } = input;
    const registryId = await this.#access.openScope(caller, slug, "webhooks:write");
    this.#checkUrl(input.url);
    const { table, keys, now } = this.#stores;
    const others = await table.query(subscriptionsQuery(registryId, { limit: MAX_WEBHOOKS }));
    if (others.items.length >= MAX_WEBHOOKS) {
      throw new ConflictError(
        `There are ${MAX_WEBHOOKS} webhooks already, the most that one registry, or the deployment, can have. Delete one first.`,
      );
    }
    const nowMs = now();
    const webhook: Webhook = {
      id: randomText(16),
      registryId,
      registry: slug ?? "",
      events: [],
      packages: [],
      description: "",
      enabled: true,
      ...edits,
      disabledReason: "",
      secretVersion: 1,
      previousSecretUntilMs: 0,
      createdBy: actorName(caller.principal),
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    await table.write([
      ...createWebhookOps(webhook),
      createLaneOp(webhook.id),
      ...recordOps(caller, happening("webhook.create", webhook), registryId, nowMs),
    ]);
    return { webhook, secret: await webhookSecret(keys, webhook.id, webhook.secretVersion) };
  }

  /** @throws {NotFoundError} */
  async get(caller: Caller, id: string): Promise<Webhook> {
    return this.#access.open(caller, id, "webhooks:read");
  }

  /**
   * Those of one registry, or, without `slug`, all that the caller may know of, newest first. A page may be
   * short.
   */
  async list(
    caller: Caller,
    slug: string | undefined,
    options: PageOptions,
  ): Promise<PageOf<Webhook>> {
    const { table } = this.#stores;
    if (slug !== undefined) {
      const registryId = await this.#access.openScope(caller, slug, "webhooks:read");
      const page = mapPage(
        await table.query(subscriptionsQuery(registryId, options)),
        subscribedId,
      );
      const rows = await table.getMany(page.items.map(webhookKey));
      return { ...page, items: rows.filter(isDefined).map(toWebhook) };
    }
    this.#access.requireAny(caller);
    const page = mapPage(await table.query(listWebhooksQuery(options)), toWebhook);
    const visible: Webhook[] = [];
    for (const webhook of page.items) {
      if (await this.#access.maySee(caller.principal, webhook)) visible.push(webhook);
    }
    return { ...page, items: visible };
  }

  /** Enabling one also forgets what failed before, and sends what is still waiting. */
  async update(caller: Caller, id: string, edits: WebhookEdits): Promise<Webhook> {
    const before = await this.#access.open(caller, id, "webhooks:write");
    if (edits.url !== undefined) this.#checkUrl(edits.url);
    const after: Webhook = {
      ...before,
      ...edits,
      disabledReason: edits.enabled === undefined ? before.disabledReason : "",
      updatedAtMs: this.#later(before),
    };
    const changed = Object.keys(edits).join(", ");
    const restart = edits.enabled === true || edits.url !== undefined;
    await this.#replace(caller, before, after, changed, restart);
    return after;
  }

  /** A new secret. For a day messages are signed with both, so that receivers can change over. */
  async rotateSecret(caller: Caller, id: string): Promise<CreatedWebhook> {
    const before = await this.#access.open(caller, id, "webhooks:write");
    const updatedAtMs = this.#later(before);
    const webhook: Webhook = {
      ...before,
      secretVersion: before.secretVersion + 1,
      previousSecretUntilMs: updatedAtMs + OVERLAP_MS,
      updatedAtMs,
    };
    await this.#replace(caller, before, webhook, "secret", false);
    const secret = await webhookSecret(this.#stores.keys, id, webhook.secretVersion);
    return { webhook, secret };
  }

  /** Nothing is sent to it any more, and what was waiting is dropped. */
  async remove(caller: Caller, id: string): Promise<void> {
    const webhook = await this.#access.open(caller, id, "webhooks:write");
    const nowMs = this.#stores.now();
    try {
      await this.#stores.table.write([
        ...deleteWebhookOps(webhook),
        deleteLaneOp(id),
        ...recordOps(caller, happening("webhook.delete", webhook), webhook.registryId, nowMs),
      ]);
    } catch (error) {
      if (error instanceof ConditionFailedError) throw new NotFoundError("webhook", id);
      throw error;
    }
  }

  async #replace(
    caller: Caller,
    before: Webhook,
    after: Webhook,
    changed: string,
    restart: boolean,
  ): Promise<void> {
    const what = happening("webhook.update", after, changed);
    try {
      await this.#stores.table.write([
        replaceWebhookOp(after, before.updatedAtMs),
        ...(restart ? [resetLaneOp(after.id, after.updatedAtMs)] : []),
        ...recordOps(caller, what, after.registryId, after.updatedAtMs),
      ]);
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
      throw new ConflictError(
        `Webhook "${after.id}" was changed or deleted by somebody else meanwhile; look again, then repeat.`,
      );
    }
  }

  #later(before: Webhook): number {
    return Math.max(this.#stores.now(), before.updatedAtMs + 1);
  }

  #checkUrl(text: string): void {
    const problem = urlProblem(text, this.#allowPrivate);
    if (problem === undefined) return;
    throw new InvalidInputError(`The URL of the webhook ${problem}.`, [{ at: "/url", problem }]);
  }
}

/** The URL's host alone: the rest of it may hold a secret. */
const happening = (
  action: "webhook.create" | "webhook.update" | "webhook.delete",
  webhook: Webhook,
  changed?: string,
) => ({
  action,
  registry: webhook.registry,
  package: "",
  version: "",
  detail: `${webhook.id} ${new URL(webhook.url).host}${changed === undefined ? "" : `: ${changed}`}`,
});
