import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../../shared/services/services.ts";
import type { Prefetched, Wanted } from "../../../shared/services/views/prefetch.ts";
import { closed, present, slugParam } from "../schema/common.ts";
import { VERSION_FETCHERS } from "../../version-fetchers.ts";
import { prefetched, prefetchInput, purged, purgeInput } from "../schema/cache.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { body, CHANGE_PROBLEMS, json } from "./responses.ts";

const tags = ["Registries"];
const params = closed({ slug: slugParam });

const purge = createRoute({
  method: "post",
  path: "/registries/{slug}/purge",
  operationId: "purgeCopies",
  summary: "Take copies out of a proxy, so that they are fetched anew (scope `packages:delete`)",
  description:
    "A call goes on for some seconds at most. While the answer has a `nextCursor`, send the same again with it.",
  tags,
  request: { params, body: body(purgeInput) },
  responses: { 200: json("What went.", purged), ...CHANGE_PROBLEMS },
});

const prefetch = createRoute({
  method: "post",
  path: "/registries/{slug}/prefetch",
  operationId: "prefetchFiles",
  summary: "Have a proxy, or those behind a composite, fetch files (scope `packages:read`)",
  description:
    "Fetches what a client's request would fetch, as long as there is time. Items that are `pending` are to be sent again.",
  tags,
  request: { params, body: body(prefetchInput) },
  responses: { 200: json("What became of each.", prefetched), ...CHANGE_PROBLEMS },
});

/** What proxies hold of their upstreams. */
export function createCacheRoutes(services: Services): ApiRouter {
  const { access, cachePurge, ecosystems } = services;
  return createRouter()
    .openapi(purge, async (c) => {
      const grant = await access.openAny(c.get("caller"), c.req.valid("param").slug);
      const input = present(c.req.valid("json"));
      const ecosystem = ecosystems[grant.registry.ecosystem];
      const { package: name, version, ...rest } = input;
      const { cursor: nextCursor, ...done } = await cachePurge.purge(grant, {
        ...rest,
        ...(name === undefined ? {} : { packageName: ecosystem.parsePackageName(name) }),
        ...(version === undefined ? {} : { version: ecosystem.parseVersion(version) }),
      });
      return c.json({ ...done, ...(nextCursor === undefined ? {} : { nextCursor }) }, 200);
    })
    .openapi(prefetch, async (c) => {
      const grant = await access.openAny(c.get("caller"), c.req.valid("param").slug);
      grant.require("packages:read");
      const wanted = c.req.valid("json").items.map((item): Wanted => {
        const { package: packageName, ...rest } = present(item);
        return { packageName, ...rest };
      });
      const fetchVersion = VERSION_FETCHERS[grant.registry.ecosystem]?.(services);
      const outcomes = await services.prefetch.fetch(grant, wanted, fetchVersion);
      return c.json({ items: wanted.map((item, i) => render(item, outcomes[i])) }, 200);
    });
}

function render({ packageName, version, path }: Wanted, outcome: Prefetched | undefined) {
  const { status, detail, files } = outcome ?? { status: "pending", detail: "", files: [] };
  return {
    package: packageName,
    version,
    ...(path === undefined ? {} : { path }),
    status,
    ...(detail === "" ? {} : { detail }),
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    files: files.map((file) => ({
      path: file.path,
      sizeBytes: file.sizeBytes,
      digests: { ...file.digests },
    })),
  };
}
