import type { Delivery, Webhook } from "../../shared/domain/webhook.ts";

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** A webhook without its secret. */
export function renderWebhook(webhook: Webhook) {
  const { id, registry, url, description, enabled, disabledReason, createdBy } = webhook;
  return {
    id,
    ...(registry === "" ? {} : { registry }),
    url,
    events: [...webhook.events],
    packages: [...webhook.packages],
    description,
    enabled,
    ...(disabledReason === "" ? {} : { disabledReason }),
    createdBy,
    createdAt: iso(webhook.createdAtMs),
    updatedAt: iso(webhook.updatedAtMs),
  };
}

/** A delivery and its last attempt. */
export function renderDelivery(delivery: Delivery) {
  const { event, state, attempts, lastAttemptAtMs, lastDurationMs, lastStatus, lastError } =
    delivery;
  return {
    id: event.id,
    event: event.kind,
    registry: event.registry,
    package: event.package,
    version: event.version,
    state,
    attempts,
    createdAt: iso(delivery.createdAtMs),
    ...(state === "pending" ? { nextAttemptAt: iso(delivery.dueAtMs) } : {}),
    ...(lastAttemptAtMs === 0
      ? {}
      : {
          lastAttempt: {
            at: iso(lastAttemptAtMs),
            durationMs: lastDurationMs,
            ...(lastStatus === 0 ? {} : { status: lastStatus }),
            ...(lastError === "" ? {} : { error: lastError }),
          },
        }),
  };
}
