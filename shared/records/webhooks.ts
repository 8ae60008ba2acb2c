import { AUDIT_ACTIONS } from "../domain/audit.ts";
import { sortableMs } from "../domain/identifiers.ts";
import type { Webhook } from "../domain/webhook.ts";
import type { Item, Key, Query, WriteOp } from "../ports/table.ts";
import { flag, number, strings, text, words } from "./attributes.ts";
import type { PageOptions } from "./pages.ts";

/** Everything of one webhook is in one partition. */
export const webhookPartition = (id: string): string => `WEBHOOK#${id}`;

export const webhookKey = (id: string): Key => ({ pk: webhookPartition(id), sk: "WEBHOOK" });

function webhookItem(webhook: Webhook): Item {
  return {
    key: webhookKey(webhook.id),
    index: { pk: "WEBHOOKS", sk: `${sortableMs(webhook.createdAtMs)}#${webhook.id}` },
    attributes: { ...webhook },
  };
}

export function toWebhook(item: Item): Webhook {
  return {
    id: text(item, "id"),
    registryId: text(item, "registryId"),
    registry: text(item, "registry"),
    url: text(item, "url"),
    events: words(item, "events", AUDIT_ACTIONS),
    packages: strings(item, "packages"),
    description: text(item, "description"),
    enabled: flag(item, "enabled"),
    disabledReason: text(item, "disabledReason"),
    secretVersion: number(item, "secretVersion"),
    previousSecretUntilMs: number(item, "previousSecretUntilMs"),
    createdBy: text(item, "createdBy"),
    createdAtMs: number(item, "createdAtMs"),
    updatedAtMs: number(item, "updatedAtMs"),
  };
}

/** Which webhooks hear of a registry, by its id; empty for those of the whole deployment. */
const subscriptionKey = (registryId: string, id: string): Key => ({
  pk: `WEBHOOKS-OF#${registryId}`,
  sk: id,
});

/** Strongly consistent, so that a webhook hears of what happens from its creation on. */
export const subscriptionsQuery = (registryId: string, options: PageOptions): Query => ({
  pk: `WEBHOOKS-OF#${registryId}`,
  ...options,
});

/** The webhook of a row of {@link subscriptionsQuery}. */
export const subscribedId = (item: Item): string => item.key.sk;

export const createWebhookOps = (webhook: Webhook): readonly WriteOp[] => [
  { op: "put", item: webhookItem(webhook), conditions: [{ kind: "absent" }] },
  {
    op: "put",
    item: { key: subscriptionKey(webhook.registryId, webhook.id), attributes: {} },
  },
];

/** Replaces the webhook that was read; fails when it changed since or is gone. */
export const replaceWebhookOp = (webhook: Webhook, readUpdatedAtMs: number): WriteOp => ({
  op: "put",
  item: webhookItem(webhook),
  conditions: [{ kind: "equals", attribute: "updatedAtMs", value: readUpdatedAtMs }],
});

/** Fails when it is gone already. What it has of deliveries expires by itself. */
export const deleteWebhookOps = (webhook: Webhook): readonly WriteOp[] => [
  { op: "delete", key: webhookKey(webhook.id), conditions: [{ kind: "present" }] },
  { op: "delete", key: subscriptionKey(webhook.registryId, webhook.id) },
];

/** For a deleted registry's webhook: hears of nothing more, and is gone once what is under way had its time. */
export const retireWebhookOps = (
  webhook: Webhook,
  expiresAtSeconds: number,
): readonly WriteOp[] => [
  {
    op: "update",
    key: webhookKey(webhook.id),
    expiresAtSeconds,
    conditions: [{ kind: "present" }],
  },
  { op: "delete", key: subscriptionKey(webhook.registryId, webhook.id) },
];

/** Newest first. */
export const listWebhooksQuery = (options: PageOptions): Query => ({
  pk: "WEBHOOKS",
  index: true,
  descending: true,
  ...options,
});

/** Fails when it was changed since it was read, or is gone. */
export const disableWebhookOp = (webhook: Webhook, reason: string, nowMs: number): WriteOp => ({
  op: "update",
  key: webhookKey(webhook.id),
  set: { enabled: false, disabledReason: reason, updatedAtMs: nowMs },
  conditions: [{ kind: "equals", attribute: "updatedAtMs", value: webhook.updatedAtMs }],
});
