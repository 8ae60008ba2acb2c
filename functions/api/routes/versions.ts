import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../../shared/services/services.ts";
import {
  closed,
  packageParam,
  pageOf,
  present,
  slugParam,
  versionParam,
} from "../schema/common.ts";
import {
  deprecation,
  undeprecation,
  versionDetails,
  versionsQuery,
  versionView,
} from "../schema/packages.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { type OpenedVersion, openPackage, openVersion } from "./open.ts";
import { body, CHANGE_PROBLEMS, json, noContent, READ_PROBLEMS } from "./responses.ts";
import { detailsOf, listPage } from "./version-views.ts";

const tags = ["Versions"];
const params = closed({ slug: slugParam, package: packageParam, version: versionParam });
const path = "/registries/{slug}/packages/{package}/versions/{version}";

const list = createRoute({
  method: "get",
  path: "/registries/{slug}/packages/{package}/versions",
  operationId: "listVersions",
  summary: "Versions of a package, the newest publication first",
  tags,
  request: { params: closed({ slug: slugParam, package: packageParam }), query: versionsQuery },
  responses: { 200: json("A page of versions.", pageOf(versionView)), ...READ_PROBLEMS },
});

const get = createRoute({
  method: "get",
  path,
  operationId: "getVersion",
  summary: "One version with its metadata",
  tags,
  request: { params },
  responses: { 200: json("The version.", versionDetails), ...READ_PROBLEMS },
});

const remove = createRoute({
  method: "delete",
  path,
  operationId: "deleteVersion",
  summary: "Delete a version (scope `packages:delete`)",
  tags,
  request: { params },
  responses: {
    204: noContent("It is out of sight, and can be restored for a while."),
    ...CHANGE_PROBLEMS,
  },
});

const restore = createRoute({
  method: "post",
  path: `${path}/restore`,
  operationId: "restoreVersion",
  summary: "Bring a deleted version back (scope `packages:delete`)",
  tags,
  request: { params },
  responses: { 200: json("The version.", versionDetails), ...CHANGE_PROBLEMS },
});

const deprecate = createRoute({
  method: "put",
  path: `${path}/deprecation`,
  operationId: "deprecateVersion",
  summary: "Tell those who install a version to use another (scope `packages:write`)",
  tags,
  request: { params, body: body(deprecation) },
  responses: { 200: json("The version.", versionDetails), ...CHANGE_PROBLEMS },
});

const undeprecate = createRoute({
  method: "delete",
  path: `${path}/deprecation`,
  operationId: "undeprecateVersion",
  summary: "Take a deprecation back (scope `packages:write`)",
  tags,
  request: { params, query: undeprecation },
  responses: { 204: noContent("The version is not deprecated."), ...CHANGE_PROBLEMS },
});

/** `…/versions` and one version below, without its files. */
export function createVersionRoutes(services: Services): ApiRouter {
  const { lifecycle } = services;
  return createRouter()
    .openapi(list, async (c) => {
      const opened = await openPackage(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:read",
      );
      return c.json(await listPage(services, opened, present(c.req.valid("query"))), 200);
    })
    .openapi(get, async (c) => {
      const opened = await openVersion(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:read",
      );
      return c.json(await detailsOf(services, opened), 200);
    })
    .openapi(remove, async (c) => {
      const { grant, packageName, version } = await openVersion(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:delete",
      );
      await lifecycle.deleteVersion(grant, packageName, version);
      return c.body(null, 204);
    })
    .openapi(restore, async (c) => {
      const opened = await openVersion(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:delete",
      );
      await lifecycle.restoreVersion(opened.grant, opened.packageName, opened.version);
      return c.json(await detailsOf(services, opened), 200);
    })
    .openapi(deprecate, async (c) => {
      const opened = await openVersion(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:write",
      );
      const { message, file } = c.req.valid("json");
      await deprecateOrUndo(services, opened, message, file);
      return c.json(await detailsOf(services, opened), 200);
    })
    .openapi(undeprecate, async (c) => {
      const opened = await openVersion(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:write",
      );
      await deprecateOrUndo(services, opened, "", c.req.valid("query").file);
      return c.body(null, 204);
    });
}

/** Of the whole version, or of one file of it. */
async function deprecateOrUndo(
  { deprecations, fileEdits }: Services,
  { grant, packageName, version }: OpenedVersion,
  message: string,
  file: string | undefined,
): Promise<void> {
  if (file === undefined) {
    return deprecations.deprecate(grant, packageName, new Map([[version, message]]));
  }
  return fileEdits.deprecateFile(grant, { packageName, version, path: file }, message);
}
