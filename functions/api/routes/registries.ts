import { createRoute } from "@hono/zod-openapi";
import type * as z from "zod";
import type { RegistryEdits } from "../../../shared/services/registries.ts";
import type { Services } from "../../../shared/services/services.ts";
import { renderPage, renderRegistry } from "../render.ts";
import { closed, line, pageOf, pageQuery, present, slugParam } from "../schema/common.ts";
import { newRegistry, registry, registryEdits } from "../schema/registries.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { body, CHANGE_PROBLEMS, created, json, noContent, READ_PROBLEMS } from "./responses.ts";

const tags = ["Registries"];
const params = closed({ slug: slugParam });

const list = createRoute({
  method: "get",
  path: "/registries",
  operationId: "listRegistries",
  summary: "Registries that you may know of, by slug",
  tags,
  request: { query: pageQuery },
  responses: { 200: json("A page of registries.", pageOf(registry)), ...READ_PROBLEMS },
});

const create = createRoute({
  method: "post",
  path: "/registries",
  operationId: "createRegistry",
  summary: "Create a registry (scope `registries:write`)",
  tags,
  request: { body: body(newRegistry) },
  responses: { 201: created("The new registry.", registry), ...CHANGE_PROBLEMS },
});

const get = createRoute({
  method: "get",
  path: "/registries/{slug}",
  operationId: "getRegistry",
  summary: "One registry",
  tags,
  request: { params },
  responses: { 200: json("The registry.", registry), ...READ_PROBLEMS },
});

const update = createRoute({
  method: "patch",
  path: "/registries/{slug}",
  operationId: "updateRegistry",
  summary: "Change what a registry looks like and allows (scope `registries:write`)",
  tags,
  request: { params, body: body(registryEdits) },
  responses: { 200: json("The registry after the change.", registry), ...CHANGE_PROBLEMS },
});

const remove = createRoute({
  method: "delete",
  path: "/registries/{slug}",
  operationId: "deleteRegistry",
  summary: "Delete a registry with everything in it (scope `registries:delete`)",
  tags,
  request: {
    params,
    query: closed({
      confirm: line(0, 63).optional().meta({
        description: "The slug, typed by whoever means it; without it nothing happens.",
      }),
    }),
  },
  responses: { 204: noContent("It is gone."), ...CHANGE_PROBLEMS },
});

/** Edits as services take them: what is absent is absent, in the lists and objects within as well. */
function edits(input: z.infer<typeof registryEdits>): RegistryEdits {
  const { policies, packageRules, ...rest } = present(input);
  return {
    ...rest,
    ...(policies === undefined ? {} : { policies: present(policies) }),
    ...(packageRules === undefined ? {} : { packageRules: packageRules.map(present) }),
  };
}

/** `/registries` and `/registries/{slug}`. */
export function createRegistryRoutes(services: Services): ApiRouter {
  const { registries, access } = services;
  return createRouter()
    .openapi(list, async (c) => {
      const caller = c.get("caller");
      const page = await registries.list(caller, present(c.req.valid("query")));
      return c.json(
        renderPage(page, (found) => renderRegistry(found, caller.baseUrl)),
        200,
      );
    })
    .openapi(create, async (c) => {
      const caller = c.get("caller");
      const { slug, ecosystem, kind, visibility, ...rest } = c.req.valid("json");
      const input = { ...edits(rest), slug, ecosystem, kind, visibility };
      const made = await registries.create(caller, input);
      const headers = { location: `/api/v1/registries/${made.slug}` };
      return c.json(renderRegistry(made, caller.baseUrl), 201, headers);
    })
    .openapi(get, async (c) => {
      const caller = c.get("caller");
      const grant = await access.openAny(caller, c.req.valid("param").slug);
      return c.json(renderRegistry(grant.registry, caller.baseUrl), 200);
    })
    .openapi(update, async (c) => {
      const caller = c.get("caller");
      const { slug } = c.req.valid("param");
      const after = await registries.update(caller, slug, edits(c.req.valid("json")));
      return c.json(renderRegistry(after, caller.baseUrl), 200);
    })
    .openapi(remove, async (c) => {
      await registries.remove(
        c.get("caller"),
        c.req.valid("param").slug,
        c.req.valid("query").confirm,
      );
      return c.body(null, 204);
    });
}
