import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../../shared/services/services.ts";
import { renderPage } from "../render.ts";
import { renderDelivery } from "../render-webhook.ts";
import { closed, pageOf, pageQuery, present } from "../schema/common.ts";
import {
  deliveryIdParam,
  deliveryView,
  deliveryWithBody,
  webhookIdParam,
} from "../schema/webhooks.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { CHANGE_PROBLEMS, json, READ_PROBLEMS } from "./responses.ts";

const tags = ["Webhooks"];
const params = closed({ id: webhookIdParam });
const deliveryParams = closed({ id: webhookIdParam, delivery: deliveryIdParam });

const list = createRoute({
  method: "get",
  path: "/webhooks/{id}/deliveries",
  operationId: "listWebhookDeliveries",
  summary: "What was sent in the last seven days, newest first (scope `webhooks:read`)",
  tags,
  request: { params, query: pageQuery },
  responses: { 200: json("A page of deliveries.", pageOf(deliveryView)), ...READ_PROBLEMS },
});

const get = createRoute({
  method: "get",
  path: "/webhooks/{id}/deliveries/{delivery}",
  operationId: "getWebhookDelivery",
  summary: "One delivery, with what is sent (scope `webhooks:read`)",
  tags,
  request: { params: deliveryParams },
  responses: { 200: json("The delivery.", deliveryWithBody), ...READ_PROBLEMS },
});

const redeliver = createRoute({
  method: "post",
  path: "/webhooks/{id}/deliveries/{delivery}/redeliver",
  operationId: "redeliverWebhook",
  summary: "Send what was sent, or given up, once more (scope `webhooks:write`)",
  tags,
  request: { params: deliveryParams },
  responses: { 202: json("The delivery, due at once.", deliveryView), ...CHANGE_PROBLEMS },
});

const ping = createRoute({
  method: "post",
  path: "/webhooks/{id}/ping",
  operationId: "pingWebhook",
  summary: "Send an event of the kind `ping` (scope `webhooks:write`)",
  tags,
  request: { params },
  responses: { 202: json("The delivery, due at once.", deliveryView), ...CHANGE_PROBLEMS },
});

/** `/webhooks/{id}/deliveries` and `/webhooks/{id}/ping`. */
export function createWebhookDeliveryRoutes(services: Services): ApiRouter {
  const { webhookDeliveries } = services;
  return createRouter()
    .openapi(list, async (c) => {
      const page = await webhookDeliveries.list(
        c.get("caller"),
        c.req.valid("param").id,
        present(c.req.valid("query")),
      );
      return c.json(renderPage(page, renderDelivery), 200);
    })
    .openapi(get, async (c) => {
      const { id, delivery: eventId } = c.req.valid("param");
      const { delivery, body } = await webhookDeliveries.get(c.get("caller"), id, eventId);
      return c.json({ ...renderDelivery(delivery), body }, 200);
    })
    .openapi(redeliver, async (c) => {
      const { id, delivery: eventId } = c.req.valid("param");
      const delivery = await webhookDeliveries.redeliver(c.get("caller"), id, eventId);
      return c.json(renderDelivery(delivery), 202);
    })
    .openapi(ping, async (c) => {
      const delivery = await webhookDeliveries.ping(c.get("caller"), c.req.valid("param").id);
      return c.json(renderDelivery(delivery), 202);
    });
}
