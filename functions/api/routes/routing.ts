import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../../shared/services/services.ts";
import type { Route } from "../../../shared/services/views/routes.ts";
import { renderPage } from "../render.ts";
import { closed, pageOf, pageQuery, present, slugParam } from "../schema/common.ts";
import { routesQuery, routesView, ruleChange, ruleReportInput } from "../schema/routing.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { openPackage } from "./open.ts";
import { body, CHANGE_PROBLEMS, json, READ_PROBLEMS } from "./responses.ts";

const tags = ["Registries"];
const params = closed({ slug: slugParam });

const routes = createRoute({
  method: "get",
  path: "/registries/{slug}/routes",
  operationId: "getRoutes",
  summary: "Which registries are asked for a package, and why others are not",
  tags,
  request: { params, query: routesQuery },
  responses: { 200: json("Everyone behind the registry.", routesView), ...READ_PROBLEMS },
});

const report = createRoute({
  method: "post",
  path: "/registries/{slug}/rule-report",
  operationId: "reportRules",
  summary: "What other package rules would change, without saving them (scope `registries:write`)",
  tags,
  request: { params, query: pageQuery, body: body(ruleReportInput) },
  responses: {
    200: json("Packages that there are whose answer would be another.", pageOf(ruleChange)),
    ...CHANGE_PROBLEMS,
  },
});

const REASONS: Readonly<Record<Exclude<Route["refusal"], "">, string>> = {
  "internal-blocked": "a rule keeps source registries from being asked for this name",
  "external-blocked": "a rule keeps proxies from being asked for this name",
  "owned-by-source": "a source registry has this name, and no rule mixes both",
  excluded: "the upstream is not asked for this name (its include and exclude)",
};

/** What decides who answers for a name. */
export function createRoutingRoutes(services: Services): ApiRouter {
  return createRouter()
    .openapi(routes, async (c) => {
      const named = { slug: c.req.valid("param").slug, package: c.req.valid("query").package };
      const { grant, packageName } = await openPackage(
        services,
        c.get("caller"),
        named,
        "packages:read",
      );
      const found = await services.views.routes(grant.registry, packageName);
      return c.json({ package: packageName, routes: found.map(renderRoute) }, 200);
    })
    .openapi(report, async (c) => {
      const grant = await services.access.openAny(c.get("caller"), c.req.valid("param").slug);
      const rules = c.req.valid("json").packageRules.map((rule) => present(rule));
      const page = await services.ruleReports.report(grant, rules, present(c.req.valid("query")));
      return c.json(
        renderPage(page, ({ packageName, before, after }) => ({
          package: packageName,
          before: { ...before },
          after: { ...after },
        })),
        200,
      );
    });
}

function renderRoute({ leaf: { registry, upstream }, refusal }: Route) {
  return {
    registry: registry.slug,
    kind: upstream === undefined ? ("source" as const) : ("proxy" as const),
    ...(upstream === undefined ? {} : { upstream: upstream.key }),
    asked: refusal === "",
    ...(refusal === "" ? {} : { refusal, reason: REASONS[refusal] }),
  };
}
