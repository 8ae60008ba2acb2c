import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../../shared/services/services.ts";
import { collected, collectOptions, reclaimed, swept } from "../schema/operations.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { requireEverywhere } from "./open.ts";
import { body, CHANGE_PROBLEMS, json } from "./responses.ts";

const tags = ["Operations"];

const collect = createRoute({
  method: "post",
  path: "/maintenance/collect-garbage",
  operationId: "collectGarbage",
  summary: "Remove blobs that nothing refers to (scope `admin`)",
  tags,
  request: { body: body(collectOptions) },
  responses: { 200: json("What was removed.", collected), ...CHANGE_PROBLEMS },
});

const reclaim = createRoute({
  method: "post",
  path: "/maintenance/reclaim",
  operationId: "reclaimDeleted",
  summary: "End the restore windows that are over (scope `admin`)",
  tags,
  responses: {
    200: json(
      "What cannot be restored any more; its bytes are free for the collection.",
      reclaimed,
    ),
    ...CHANGE_PROBLEMS,
  },
});

const sweep = createRoute({
  method: "post",
  path: "/maintenance/sweep-uploads",
  operationId: "sweepUploads",
  summary: "Abort uploads that were not completed in time (scope `admin`)",
  tags,
  responses: { 200: json("What was aborted.", swept), ...CHANGE_PROBLEMS },
});

/** `/maintenance/…`: what the workers do on their own, now. */
export function createMaintenanceRoutes(services: Services): ApiRouter {
  const { collector, reclaimer } = services;
  const { requestBudgetMs } = services.options;
  const budget = requestBudgetMs === undefined ? {} : { budgetMs: requestBudgetMs };
  return createRouter()
    .openapi(collect, async (c) => {
      requireEverywhere(services, c.get("caller"), "admin");
      const { graceSeconds } = c.req.valid("json");
      return c.json(await collector.collect(graceSeconds * 1000), 200);
    })
    .openapi(reclaim, async (c) => {
      requireEverywhere(services, c.get("caller"), "admin");
      const versions = await reclaimer.reclaimVersions(budget);
      const packages = await reclaimer.reclaimRegistries(budget);
      return c.json({ versions, packages }, 200);
    })
    .openapi(sweep, async (c) => {
      requireEverywhere(services, c.get("caller"), "admin");
      return c.json({ uploads: await reclaimer.sweepUploads(budget) }, 200);
    });
}
