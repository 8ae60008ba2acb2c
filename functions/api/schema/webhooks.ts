import * as z from "zod";
import { AUDIT_ACTIONS } from "../../../shared/domain/audit.ts";
import { DELIVERY_STATES } from "../../../shared/domain/webhook.ts";
import { closed, count, cursor, limit, line, prose, slugParam, time } from "./common.ts";

const url = line(1, 2000).meta({
  description:
    "Where events are POSTed to: https, at a public address, without user name, password and fragment.",
  examples: ["https://ci.example.com/hooks/entrepot"],
});
const events = z
  .array(z.enum(AUDIT_ACTIONS))
  .max(AUDIT_ACTIONS.length)
  .meta({ description: "Kinds of events. Empty: all of them." });
const packages = z.array(line(1, 220)).max(100).meta({
  description:
    "Names of packages, in which * stands for any characters; then events that concern no package are not sent. Empty: every event.",
});

export const newWebhook = closed({
  registry: slugParam
    .optional()
    .meta({ description: "Slug. Absent: events of the whole deployment." }),
  url,
  events: events.default([]),
  packages: packages.default([]),
  description: prose(0, 2000).default(""),
  enabled: z.boolean().default(true),
}).meta({ id: "NewWebhook" });

export const webhookEdits = closed({
  url: url.optional(),
  events: events.optional(),
  packages: packages.optional(),
  description: prose(0, 2000).optional(),
  enabled: z
    .boolean()
    .optional()
    .meta({ description: "true also forgets earlier failures, and sends what still waits." }),
}).meta({ id: "WebhookEdits", description: "What is absent stays as it is." });

const webhook = {
  id: z.string(),
  registry: z
    .string()
    .optional()
    .meta({ description: "Slug. Absent: events of the whole deployment." }),
  url: z.string(),
  events: z.array(z.enum(AUDIT_ACTIONS)),
  packages: z.array(z.string()),
  description: z.string(),
  enabled: z.boolean(),
  disabledReason: z
    .string()
    .optional()
    .meta({ description: "Why Entrepot disabled it; absent when it did not." }),
  createdBy: z.string(),
  createdAt: time,
  updatedAt: time,
};

export const webhookView = closed(webhook).meta({ id: "Webhook" });
export const webhookWithSecret = closed({
  ...webhook,
  secret: z.string().meta({
    description: "What to verify signatures with (Standard Webhooks). Shown this once.",
  }),
}).meta({ id: "WebhookWithSecret" });

export const webhookIdParam = z.string().regex(/^[A-Za-z0-9]{1,64}$/, "is not a webhook's id");
export const deliveryIdParam = z.string().regex(/^[A-Za-z0-9]{1,64}$/, "is not a delivery's id");

export const webhooksQuery = closed({
  registry: slugParam.optional().meta({ description: "Only those of this registry." }),
  limit,
  cursor,
});

const delivery = {
  id: z.string().meta({ description: "The event's, and the message's `webhook-id`." }),
  event: z.enum([...AUDIT_ACTIONS, "ping"]),
  registry: z.string().meta({ description: "Slug; empty where none is concerned." }),
  package: z.string(),
  version: z.string(),
  state: z.enum(DELIVERY_STATES).meta({
    description:
      "`failed`: given up. A pending one may have failed already, and says when it is next.",
  }),
  attempts: count,
  createdAt: time,
  nextAttemptAt: time.optional().meta({ description: "Absent when there will be none." }),
  lastAttempt: closed({
    at: time,
    durationMs: count,
    status: count.optional().meta({ description: "HTTP status. Absent: there was no answer." }),
    error: z.string().optional().meta({ description: "Absent: it was taken." }),
  })
    .optional()
    .meta({ description: "Absent before the first attempt." }),
};

export const deliveryView = closed(delivery).meta({ id: "WebhookDelivery" });
export const deliveryWithBody = closed({
  ...delivery,
  body: z.string().meta({ description: "The text that is sent, and signed." }),
}).meta({ id: "WebhookDeliveryWithBody" });
