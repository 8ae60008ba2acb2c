import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../../shared/services/services.ts";
import { renderImage } from "../render-image.ts";
import { closed, packageParam, slugParam, versionParam } from "../schema/common.ts";
import { imageView } from "../schema/images.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { openVersion } from "./open.ts";
import { json, READ_PROBLEMS } from "./responses.ts";

const get = createRoute({
  method: "get",
  path: "/registries/{slug}/packages/{package}/versions/{version}/image",
  operationId: "getImage",
  summary: "What an image or other OCI artifact is: platforms, layers, configuration, referrers",
  tags: ["Versions"],
  request: { params: closed({ slug: slugParam, package: packageParam, version: versionParam }) },
  responses: { 200: json("The image.", imageView), ...READ_PROBLEMS },
});

/** `…/versions/{digest}/image`, for people who look at an image. */
export function createImageRoutes(services: Services): ApiRouter {
  return createRouter().openapi(get, async (c) => {
    const caller = c.get("caller");
    const { grant, packageName, version } = await openVersion(
      services,
      caller,
      c.req.valid("param"),
      "packages:read",
    );
    const details = await services.images.describe(grant, packageName, version);
    return c.json(renderImage(grant.registry, packageName, details, caller.baseUrl), 200);
  });
}
