import { createRoute } from "@hono/zod-openapi";
import { InvalidInputError, NotFoundError, UnsupportedError } from "../../../shared/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import { ECOSYSTEM_FACTS } from "../ecosystem-facts.ts";
import { renderTag } from "../render.ts";
import { closed, packageParam, pageOf, slugParam } from "../schema/common.ts";
import { tagParam, tagTarget, tagView } from "../schema/packages.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { type OpenedPackage, openPackage } from "./open.ts";
import { body, CHANGE_PROBLEMS, json, noContent, READ_PROBLEMS } from "./responses.ts";

const tags = ["Tags"];
const params = { slug: slugParam, package: packageParam };

const list = createRoute({
  method: "get",
  path: "/registries/{slug}/packages/{package}/tags",
  operationId: "listTags",
  summary: "All tags of a package by name",
  tags,
  request: { params: closed(params) },
  responses: { 200: json("Every tag, on one page.", pageOf(tagView)), ...READ_PROBLEMS },
});

const set = createRoute({
  method: "put",
  path: "/registries/{slug}/packages/{package}/tags/{tag}",
  operationId: "setTag",
  summary: "Point a tag at a version (scope `packages:write`)",
  tags,
  request: { params: closed({ ...params, tag: tagParam }), body: body(tagTarget) },
  responses: { 200: json("The tag.", tagView), ...CHANGE_PROBLEMS },
});

const remove = createRoute({
  method: "delete",
  path: "/registries/{slug}/packages/{package}/tags/{tag}",
  operationId: "deleteTag",
  summary: "Remove a tag (scope `packages:write`)",
  tags,
  request: { params: closed({ ...params, tag: tagParam }) },
  responses: { 204: noContent("It is gone."), ...CHANGE_PROBLEMS },
});

/** `…/tags` and one tag below. */
export function createTagRoutes(services: Services): ApiRouter {
  return createRouter()
    .openapi(list, async (c) => {
      const { grant, packageName } = await openPackage(
        services,
        c.get("caller"),
        c.req.valid("param"),
        "packages:read",
      );
      const pkg = await services.catalogue.findPackage(grant, packageName);
      if (pkg === undefined) throw new NotFoundError("package", packageName);
      const found = await services.catalogue.listTags(grant, packageName);
      return c.json({ items: found.map(renderTag) }, 200);
    })
    .openapi(set, async (c) => {
      const { tag, ...names } = c.req.valid("param");
      const { version } = c.req.valid("json");
      const opened = await openPackage(services, c.get("caller"), names, "packages:write");
      const { grant, packageName } = opened;
      requireTag(opened, tag);
      const canonical = services.ecosystems[grant.registry.ecosystem].parseVersion(version);
      await services.tags.set(grant, packageName, tag, canonical);
      const now = (await services.catalogue.listTags(grant, packageName)).find(
        ({ name }) => name === tag,
      );
      if (now === undefined) throw new NotFoundError("tag", tag);
      return c.json(renderTag(now), 200);
    })
    .openapi(remove, async (c) => {
      const { tag, ...names } = c.req.valid("param");
      const opened = await openPackage(services, c.get("caller"), names, "packages:write");
      requireTag(opened, tag);
      await services.tags.remove(opened.grant, opened.packageName, tag);
      return c.body(null, 204);
    });
}

function requireTag({ grant }: OpenedPackage, name: string): void {
  const { ecosystem, slug } = grant.registry;
  if (ecosystem === "generic") {
    throw new UnsupportedError(
      `Registry "${slug}" is a generic registry, whose packages have no tags; "latest" follows the highest version by itself.`,
    );
  }
  if (ECOSYSTEM_FACTS[ecosystem].isTag(name)) return;
  throw new InvalidInputError(
    "This cannot be a tag: use characters that need no escape in a URL and do not read as a version or range.",
    [{ at: "tag", problem: "not a tag" }],
  );
}
