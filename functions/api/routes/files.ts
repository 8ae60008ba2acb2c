import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../../shared/services/services.ts";
import { renderFile, renderPage } from "../render.ts";
import {
  closed,
  line,
  packageParam,
  pageOf,
  pageQuery,
  present,
  slugParam,
  versionParam,
} from "../schema/common.ts";
import { fileView } from "../schema/packages.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { openVersion } from "./open.ts";
import { CHANGE_PROBLEMS, json, noContent, READ_PROBLEMS } from "./responses.ts";

const tags = ["Files"];
const params = { slug: slugParam, package: packageParam, version: versionParam };
const fileParams = closed({
  ...params,
  path: line(1, 1000).meta({
    description: "The file's path; its slashes may be sent as they are, or encoded.",
  }),
});

const list = createRoute({
  method: "get",
  path: "/registries/{slug}/packages/{package}/versions/{version}/files",
  operationId: "listFiles",
  summary: "Files of a version by path",
  tags,
  request: { params: closed(params), query: pageQuery },
  responses: { 200: json("A page of files.", pageOf(fileView)), ...READ_PROBLEMS },
});

const get = createRoute({
  method: "get",
  path: "/registries/{slug}/packages/{package}/versions/{version}/files/{path}",
  operationId: "getFile",
  summary: "One file: its size, digests, and where to download it",
  tags,
  request: { params: fileParams },
  responses: { 200: json("The file.", fileView), ...READ_PROBLEMS },
});

const remove = createRoute({
  method: "delete",
  path: "/registries/{slug}/packages/{package}/versions/{version}/files/{path}",
  operationId: "deleteFile",
  summary:
    "Delete one file (scope `packages:delete`): the last of its version with the version, others where files are mutable, or, of Python, in any case",
  tags,
  request: { params: fileParams },
  responses: { 204: noContent("It is gone."), ...CHANGE_PROBLEMS },
});

/** `…/files` and one file below. */
export function createFileRoutes(services: Services): ApiRouter {
  const { catalogue, fileEdits } = services;
  return createRouter()
    .openapi(list, async (c) => {
      const caller = c.get("caller");
      const { grant, packageName, version } = await openVersion(
        services,
        caller,
        c.req.valid("param"),
        "packages:read",
      );
      await catalogue.getVersion(grant, packageName, version);
      const options = present(c.req.valid("query"));
      const page = await catalogue.listFiles(grant, packageName, version, options);
      return c.json(
        renderPage(page, (file) => renderFile(grant.registry, file, caller.baseUrl)),
        200,
      );
    })
    .openapi(get, async (c) => {
      const caller = c.get("caller");
      const { path, ...names } = c.req.valid("param");
      const { grant, packageName, version } = await openVersion(
        services,
        caller,
        names,
        "packages:read",
      );
      const { file } = await catalogue.getFile(grant, packageName, version, path);
      return c.json(renderFile(grant.registry, file, caller.baseUrl), 200);
    })
    .openapi(remove, async (c) => {
      const { path, ...names } = c.req.valid("param");
      const { grant, packageName, version } = await openVersion(
        services,
        c.get("caller"),
        names,
        "packages:delete",
      );
      await fileEdits.deleteFile(grant, { packageName, version, path });
      return c.body(null, 204);
    });
}
