import { createRoute } from "@hono/zod-openapi";
import { InvalidInputError, NotFoundError } from "../../../shared/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import { renderPackage, renderPage } from "../render.ts";
import { closed, packageParam, pageOf, present, slugParam } from "../schema/common.ts";
import { packageChange, packagesQuery, packageView } from "../schema/packages.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { type OpenedPackage, openPackage } from "./open.ts";
import { body, CHANGE_PROBLEMS, json, noContent, READ_PROBLEMS } from "./responses.ts";

const tags = ["Packages"];
const params = closed({ slug: slugParam, package: packageParam });

const list = createRoute({
  method: "get",
  path: "/registries/{slug}/packages",
  operationId: "listPackages",
  summary: "Packages of a registry by name, or those that match a search",
  tags,
  request: { params: closed({ slug: slugParam }), query: packagesQuery },
  responses: { 200: json("A page of packages.", pageOf(packageView)), ...READ_PROBLEMS },
});

const get = createRoute({
  method: "get",
  path: "/registries/{slug}/packages/{package}",
  operationId: "getPackage",
  summary: "One package",
  tags,
  request: { params },
  responses: { 200: json("The package.", packageView), ...READ_PROBLEMS },
});

const update = createRoute({
  method: "patch",
  path: "/registries/{slug}/packages/{package}",
  operationId: "updatePackage",
  summary:
    "Set what clients are told of a package (scope `packages:write`; for `quarantined`, and out of it, `packages:delete`)",
  tags,
  request: { params, body: body(packageChange) },
  responses: { 200: json("The package.", packageView), ...CHANGE_PROBLEMS },
});

const remove = createRoute({
  method: "delete",
  path: "/registries/{slug}/packages/{package}",
  operationId: "deletePackage",
  summary: "Delete a package with all of its versions (scope `packages:delete`)",
  tags,
  request: { params },
  responses: {
    204: noContent("It is out of sight, and can be restored for a while."),
    ...CHANGE_PROBLEMS,
  },
});

const restore = createRoute({
  method: "post",
  path: "/registries/{slug}/packages/{package}/restore",
  operationId: "restorePackage",
  summary:
    "Bring back a package with every version that can still be restored (scope `packages:delete`)",
  tags,
  request: { params },
  responses: { 200: json("The package.", packageView), ...CHANGE_PROBLEMS },
});

/** `/registries/{slug}/packages` and one package below. */
export function createPackageRoutes(services: Services): ApiRouter {
  const { access, catalogue, lifecycle, standings } = services;
  return createRouter()
    .openapi(list, async (c) => {
      const { search, ...page } = present(c.req.valid("query"));
      const grant = await access.openAny(c.get("caller"), c.req.valid("param").slug);
      grant.require("packages:read");
      if (search === undefined) {
        const found = await catalogue.listPackages(grant, page);
        return c.json(
          renderPage(found, (pkg) => renderPackage(grant.registry, pkg)),
          200,
        );
      }
      if (page.prefix !== undefined || page.cursor !== undefined) {
        throw new InvalidInputError("A search has one page, and takes neither prefix nor cursor.", [
          { at: "search", problem: "not together with prefix or cursor" },
        ]);
      }
      const found = await catalogue.search(grant, search);
      const items = found.slice(0, page.limit);
      return c.json({ items: items.map((pkg) => renderPackage(grant.registry, pkg)) }, 200);
    })
    .openapi(get, async (c) => {
      const opened = await openPackage(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:read",
      );
      return c.json(await viewOf(services, opened), 200);
    })
    .openapi(update, async (c) => {
      const opened = await openPackage(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:write",
      );
      const { statusReason, ...rest } = present(c.req.valid("json"));
      await standings.update(opened.grant, opened.packageName, {
        ...rest,
        ...(statusReason === undefined ? {} : { reason: statusReason }),
      });
      return c.json(await viewOf(services, opened), 200);
    })
    .openapi(remove, async (c) => {
      const { grant, packageName } = await openPackage(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:delete",
      );
      await lifecycle.deletePackage(grant, packageName);
      return c.body(null, 204);
    })
    .openapi(restore, async (c) => {
      const opened = await openPackage(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:delete",
      );
      await lifecycle.restorePackage(opened.grant, opened.packageName);
      return c.json(await viewOf(services, opened), 200);
    });
}

/** A deleted package is there only for those who may restore it. */
async function viewOf(services: Services, { grant, packageName }: OpenedPackage) {
  const pkg = await services.catalogue.findAnyPackage(grant, packageName);
  const visible =
    pkg !== undefined && (pkg.state === "active" || grant.may("packages:delete", packageName));
  if (!visible) throw new NotFoundError("package", packageName);
  return renderPackage(grant.registry, pkg);
}
