import { createRoute } from "@hono/zod-openapi";
import type { Caller } from "../../../shared/domain/principal.ts";
import type { Services } from "../../../shared/services/services.ts";
import { installCommands, renderContents, renderImage } from "../render-image.ts";
import { closed, packageParam, present, slugParam, versionParam } from "../schema/common.ts";
import { chartView, contentsQuery, contentsView, imageView } from "../schema/images.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { openVersion } from "./open.ts";
import { json, READ_PROBLEMS } from "./responses.ts";

const tags = ["Images"];
const params = closed({ slug: slugParam, package: packageParam, version: versionParam });
const path = "/registries/{slug}/packages/{package}/versions/{version}";

const get = createRoute({
  method: "get",
  path: `${path}/image`,
  operationId: "getImage",
  summary: "What an image is: platforms, config, layers, referrers, tags, how to pull it",
  tags,
  request: { params },
  responses: { 200: json("The image.", imageView), ...READ_PROBLEMS },
});

const contents = createRoute({
  method: "get",
  path: `${path}/image/contents`,
  operationId: "listImageContents",
  summary:
    "Files of an image as its layers leave them; read from the layers when first asked for, as far as limits allow",
  tags,
  request: { params, query: contentsQuery },
  responses: { 200: json("A page of files.", contentsView), ...READ_PROBLEMS },
});

const chart = createRoute({
  method: "get",
  path: `${path}/chart`,
  operationId: "getChart",
  summary: "What a Helm chart says of itself: Chart.yaml, README and values",
  tags,
  request: { params },
  responses: { 200: json("The chart.", chartView), ...READ_PROBLEMS },
});

/** `…/image`, `…/image/contents` and `…/chart` of a version of an OCI registry. */
export function createImageRoutes(services: Services): ApiRouter {
  const { catalogue, images } = services;
  const open = async (
    caller: Caller,
    names: { readonly slug: string; readonly package: string; readonly version: string },
  ) => {
    const opened = await openVersion(services, caller, names, "packages:read");
    const { grant, packageName } = opened;
    const version = await catalogue.getVersion(grant, packageName, opened.version);
    return { grant, registry: grant.registry, version, baseUrl: caller.baseUrl };
  };
  return createRouter()
    .openapi(get, async (c) => {
      const { grant, version, ...shown } = await open(c.get("caller"), c.req.valid("param"));
      const details = await images.describe(version);
      const [downloads = 0] = await catalogue.downloads(grant, version.packageName, [
        version.version,
      ]);
      return c.json(renderImage({ ...shown, version, downloads }, details), 200);
    })
    .openapi(contents, async (c) => {
      const { version } = await open(c.get("caller"), c.req.valid("param"));
      const found = await images.contents(version);
      return c.json(renderContents(found, present(c.req.valid("query"))), 200);
    })
    .openapi(chart, async (c) => {
      const shown = await open(c.get("caller"), c.req.valid("param"));
      const found = await images.chart(shown.version);
      const tags = await images.listTags(shown.version);
      return c.json({ ...found, install: installCommands(shown, "chart", tags) }, 200);
    });
}
