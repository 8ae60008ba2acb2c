import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { createApiApp } from "../../../functions/api/app.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";

let registry: TestRegistry;
let document: z.infer<typeof DOCUMENT>;
beforeAll(async () => {
  registry = await openTestRegistry();
  const response = await registry.request("/api/v1/openapi.json", { token: null });
  document = DOCUMENT.parse(await response.json());
});
afterAll(async () => registry.close());

const PARAMETER = z.looseObject({
  name: z.string(),
  in: z.enum(["path", "query", "header"]),
  required: z.boolean(),
  schema: z.looseObject({}),
});
const OPERATION = z.looseObject({
  operationId: z.string(),
  summary: z.string(),
  tags: z.array(z.string()).length(1),
  parameters: z.array(PARAMETER).default([]),
  responses: z.record(
    z.string().regex(/^[1-5]\d\d$/),
    z.looseObject({ description: z.string().min(1) }),
  ),
});
/** What OpenAPI 3.1 asks of the parts that we use: https://spec.openapis.org/oas/v3.1.1.html. */
const DOCUMENT = z.looseObject({
  openapi: z.string().regex(/^3\.1\.\d$/),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  tags: z.array(z.looseObject({ name: z.string() })),
  paths: z.record(
    z.string().startsWith("/api/v1/"),
    z.record(z.enum(["get", "put", "post", "patch", "delete"]), OPERATION.optional()),
  ),
  components: z.looseObject({ schemas: z.record(z.string(), z.looseObject({})) }),
});

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      operation === undefined ? [] : [{ path, method, operation }],
    ),
  );

describe("the OpenAPI document", () => {
  test("holds every route that the app serves, and no other", () => {
    const served = createApiApp(registry.services)
      .routes.filter(({ method, path }) => method !== "ALL" && !path.endsWith("/openapi.json"))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    const documented = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(documented.sort()).toEqual([...new Set(served)].sort());
    expect(documented.length).toBeGreaterThan(30);
  });

  test("names each operation once, under a tag that it explains", () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { operation } of operations()) expect(tags).toContain(operation.tags[0]);
  });

  test("declares the parameters of each path, as required", () => {
    for (const { path, operation } of operations()) {
      const inPath = operation.parameters.filter((parameter) => parameter.in === "path");
      const declared = inPath.map(({ name }) => name).sort();
      expect(declared).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name).sort(),
      );
      expect(inPath.every(({ required }) => required)).toBe(true);
    }
  });

  test("refers only to schemas that it has, each of which zod can read as JSON Schema", () => {
    const text = JSON.stringify(document);
    const names = Object.keys(document.components.schemas);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
      expect(names).toContain(name);
    expect(text.match(/"\$ref"/g)?.length).toBe(
      text.match(/"\$ref":"#\/components\/schemas\/\w+"/g)?.length,
    );
    const $defs = JSON.parse(
      JSON.stringify(document.components.schemas).replaceAll("#/components/schemas/", "#/$defs/"),
    );
    for (const name of names) {
      expect(() => z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs })).not.toThrow();
    }
  });

  test("lets no object of a request have fields that are not described", () => {
    for (const name of [
      "NewRegistry",
      "RegistryEdits",
      "NewToken",
      "NewUpload",
      "Deprecation",
      "TagTarget",
      "NewWebhook",
      "WebhookEdits",
    ]) {
      expect(document.components.schemas[name]).toMatchObject({ additionalProperties: false });
    }
  });
});

test("a method that a path does not have is answered 405 with those that it has", async () => {
  const response = await registry.request("/api/v1/registries", { method: "DELETE" });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "HEAD, GET, POST"]);
  expect((await registry.request("/api/v1/nothing")).status).toBe(404);
});
