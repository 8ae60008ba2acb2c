import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../../shared/services/services.ts";
import { renderPage } from "../render.ts";
import { renderUpstream } from "../render-upstream.ts";
import { closed, line, pageOf, pageQuery, present } from "../schema/common.ts";
import { newUpstream, upstreamEdits, upstreamView } from "../schema/upstreams.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { body, CHANGE_PROBLEMS, created, json, noContent, READ_PROBLEMS } from "./responses.ts";

const tags = ["Upstreams"];
const params = closed({ key: line(1, 63).meta({ description: "The upstream's key." }) });

const list = createRoute({
  method: "get",
  path: "/upstreams",
  operationId: "listUpstreams",
  summary: "Upstreams that you may know of, by key (scope `registries:read`)",
  tags,
  request: { query: pageQuery },
  responses: { 200: json("A page of upstreams.", pageOf(upstreamView)), ...READ_PROBLEMS },
});

const create = createRoute({
  method: "post",
  path: "/upstreams",
  operationId: "createUpstream",
  summary: "Create an upstream, for proxies to read from (scope `registries:write`)",
  tags,
  request: { body: body(newUpstream) },
  responses: { 201: created("The new upstream.", upstreamView), ...CHANGE_PROBLEMS },
});

const get = createRoute({
  method: "get",
  path: "/upstreams/{key}",
  operationId: "getUpstream",
  summary: "One upstream, never its secret (scope `registries:read`)",
  tags,
  request: { params },
  responses: { 200: json("The upstream.", upstreamView), ...READ_PROBLEMS },
});

const update = createRoute({
  method: "patch",
  path: "/upstreams/{key}",
  operationId: "updateUpstream",
  summary: "Change an upstream (scope `registries:write`)",
  tags,
  request: { params, body: body(upstreamEdits) },
  responses: { 200: json("The upstream after the change.", upstreamView), ...CHANGE_PROBLEMS },
});

const remove = createRoute({
  method: "delete",
  path: "/upstreams/{key}",
  operationId: "deleteUpstream",
  summary: "Delete an upstream that no proxy caches (scope `registries:delete`)",
  tags,
  request: { params },
  responses: { 204: noContent("It is gone."), ...CHANGE_PROBLEMS },
});

/** `/upstreams` and `/upstreams/{key}`. */
export function createUpstreamRoutes(services: Services): ApiRouter {
  const { upstreams } = services;
  return createRouter()
    .openapi(list, async (c) => {
      const page = await upstreams.list(c.get("caller"), present(c.req.valid("query")));
      return c.json(renderPage(page, renderUpstream), 200);
    })
    .openapi(create, async (c) => {
      const made = await upstreams.create(c.get("caller"), present(c.req.valid("json")));
      const headers = { location: `/api/v1/upstreams/${made.key}` };
      return c.json(renderUpstream(made), 201, headers);
    })
    .openapi(get, async (c) => {
      const upstream = await upstreams.get(c.get("caller"), c.req.valid("param").key);
      return c.json(renderUpstream(upstream), 200);
    })
    .openapi(update, async (c) => {
      const edits = present(c.req.valid("json"));
      const after = await upstreams.update(c.get("caller"), c.req.valid("param").key, edits);
      return c.json(renderUpstream(after), 200);
    })
    .openapi(remove, async (c) => {
      await upstreams.remove(c.get("caller"), c.req.valid("param").key);
      return c.body(null, 204);
    });
}
