import type { AuditAction, RegistryEvent } from "./audit.ts";
import { matchesAny } from "./pattern.ts";

/** An address that is told of events: those of one registry, or of the whole deployment. */
export interface Webhook {
  readonly id: string;
  /** Both empty for the whole deployment. The id, because a slug may be used again. */
  readonly registryId: string;
  readonly registry: string;
  /** May hold a secret in its path or query: never in logs, nor in the audit log. */
  readonly url: string;
  /** Empty: every kind, those included that later versions add. */
  readonly events: readonly AuditAction[];
  /** Patterns of package names. Empty: every event; otherwise only those that concern such a package. */
  readonly packages: readonly string[];
  readonly description: string;
  readonly enabled: boolean;
  /** Why we disabled it, in words for people; empty when we did not. */
  readonly disabledReason: string;
  /** From 1; the signing secret is derived from the id and this, so that nothing secret is stored. */
  readonly secretVersion: number;
  /** Unix milliseconds until which the secret before this one signs too; 0: there was none. */
  readonly previousSecretUntilMs: number;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** `ping` is sent on demand, whatever kinds a webhook is for. */
export type DeliveredKind = AuditAction | "ping";

/** What is sent of an event: not the caller's address nor token. */
export type DeliveredEvent = Pick<
  RegistryEvent,
  "id" | "atMs" | "actor" | "requestId" | "registry" | "package" | "version" | "detail"
> & { readonly kind: DeliveredKind };

/** One event on its way to one webhook, and how the last attempt went. */
export interface Delivery {
  readonly webhookId: string;
  readonly event: DeliveredEvent;
  /** `failed`: given up; a pending one that failed so far says so in `lastError`. */
  readonly state: DeliveryState;
  /** Attempts whose outcome was written down. */
  readonly attempts: number;
  /** Unix milliseconds, as all times here. */
  readonly createdAtMs: number;
  /** When the next attempt is due, or the last one was. */
  readonly dueAtMs: number;
  readonly giveUpAtMs: number;
  /** 0 before the first attempt. */
  readonly lastAttemptAtMs: number;
  readonly lastDurationMs: number;
  /** HTTP status; 0 when there was no answer. */
  readonly lastStatus: number;
  /** Empty when the last attempt succeeded. */
  readonly lastError: string;
}

/** How far a webhook's deliveries have come; one worker at a time holds it. */
export interface Lane {
  readonly webhookId: string;
  /** Grows with every change, so that a worker notices what was added while it was busy. */
  readonly revision: number;
  /** A worker holds the lane until then; Unix milliseconds, 0 for nobody. */
  readonly leaseUntilMs: number;
  /** Nothing is sent before then: the receiver failed too often in a row. */
  readonly pausedUntilMs: number;
  /** Attempts that failed since the last one that succeeded. */
  readonly failures: number;
  /** Time of the first of these; 0 when the last attempt succeeded. */
  readonly failingSinceMs: number;
}

/** Whether a webhook wants an event of its registry or deployment. */
export function wantsEvent(webhook: Webhook, event: RegistryEvent): boolean {
  if (!webhook.enabled) return false;
  if (webhook.events.length > 0 && !webhook.events.includes(event.action)) return false;
  if (webhook.packages.length === 0) return true;
  return event.package !== "" && matchesAny(webhook.packages, event.package);
}
