import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../../shared/services/services.ts";
import { renderPage } from "../render.ts";
import { renderWebhook } from "../render-webhook.ts";
import { closed, pageOf, present } from "../schema/common.ts";
import {
  newWebhook,
  webhookEdits,
  webhookIdParam,
  webhooksQuery,
  webhookView,
  webhookWithSecret,
} from "../schema/webhooks.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { body, CHANGE_PROBLEMS, created, json, noContent, READ_PROBLEMS } from "./responses.ts";

const tags = ["Webhooks"];
const params = closed({ id: webhookIdParam });

const list = createRoute({
  method: "get",
  path: "/webhooks",
  operationId: "listWebhooks",
  summary: "Webhooks that you may know of, newest first (scope `webhooks:read`)",
  tags,
  request: { query: webhooksQuery },
  responses: { 200: json("A page of webhooks.", pageOf(webhookView)), ...READ_PROBLEMS },
});

const create = createRoute({
  method: "post",
  path: "/webhooks",
  operationId: "createWebhook",
  summary:
    "Have events of a registry, or of the deployment, sent to a URL (scope `webhooks:write`)",
  tags,
  request: { body: body(newWebhook) },
  responses: {
    201: created("The webhook, with its secret: this once.", webhookWithSecret),
    ...CHANGE_PROBLEMS,
  },
});

const get = createRoute({
  method: "get",
  path: "/webhooks/{id}",
  operationId: "getWebhook",
  summary: "One webhook (scope `webhooks:read`)",
  tags,
  request: { params },
  responses: { 200: json("The webhook.", webhookView), ...READ_PROBLEMS },
});

const update = createRoute({
  method: "patch",
  path: "/webhooks/{id}",
  operationId: "updateWebhook",
  summary: "Change, enable or disable a webhook (scope `webhooks:write`)",
  tags,
  request: { params, body: body(webhookEdits) },
  responses: { 200: json("The webhook after the change.", webhookView), ...CHANGE_PROBLEMS },
});

const remove = createRoute({
  method: "delete",
  path: "/webhooks/{id}",
  operationId: "deleteWebhook",
  summary: "Delete a webhook, with what still waits to be sent (scope `webhooks:write`)",
  tags,
  request: { params },
  responses: { 204: noContent("It is gone."), ...CHANGE_PROBLEMS },
});

const rotate = createRoute({
  method: "post",
  path: "/webhooks/{id}/rotate-secret",
  operationId: "rotateWebhookSecret",
  summary: "Replace a webhook's secret; for 24 hours both sign (scope `webhooks:write`)",
  tags,
  request: { params },
  responses: {
    200: json("The webhook, with its new secret: this once.", webhookWithSecret),
    ...CHANGE_PROBLEMS,
  },
});

/** The answer holds a secret: no cache on the way may keep it. */
const SECRET_HEADERS = { "cache-control": "no-store" };

/** `/webhooks` and `/webhooks/{id}`. */
export function createWebhookRoutes(services: Services): ApiRouter {
  const { webhooks } = services;
  return createRouter()
    .openapi(list, async (c) => {
      const { registry, ...options } = present(c.req.valid("query"));
      const page = await webhooks.list(c.get("caller"), registry, options);
      return c.json(renderPage(page, renderWebhook), 200);
    })
    .openapi(create, async (c) => {
      const input = present(c.req.valid("json"));
      const { webhook, secret } = await webhooks.create(c.get("caller"), input);
      const headers = { ...SECRET_HEADERS, location: `/api/v1/webhooks/${webhook.id}` };
      return c.json({ ...renderWebhook(webhook), secret }, 201, headers);
    })
    .openapi(get, async (c) => {
      const webhook = await webhooks.get(c.get("caller"), c.req.valid("param").id);
      return c.json(renderWebhook(webhook), 200);
    })
    .openapi(update, async (c) => {
      const edits = present(c.req.valid("json"));
      const after = await webhooks.update(c.get("caller"), c.req.valid("param").id, edits);
      return c.json(renderWebhook(after), 200);
    })
    .openapi(remove, async (c) => {
      await webhooks.remove(c.get("caller"), c.req.valid("param").id);
      return c.body(null, 204);
    })
    .openapi(rotate, async (c) => {
      const { id } = c.req.valid("param");
      const { webhook, secret } = await webhooks.rotateSecret(c.get("caller"), id);
      return c.json({ ...renderWebhook(webhook), secret }, 200, SECRET_HEADERS);
    });
}
