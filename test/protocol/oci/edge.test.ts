import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createOciApp } from "../../../functions/oci/app.ts";
import { createOciEdge } from "../../../functions/oci/edge/edge.ts";
import { ADMIN_TOKEN, openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { bytesOf, digestOf, errorOf, Repository } from "./builders.ts";

let registry: TestRegistry;
let repository: Repository;
/** Requests that went past the edge. */
let passed: string[];
beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "images", ecosystem: "oci" });
  repository = new Repository(registry, "images/app");
  passed = [];
});
afterEach(async () => registry.close());

/** A request to an edge with functions behind it that take so many bytes; 0: any. */
async function throughEdge(
  location: string,
  method: string,
  body: string | undefined,
  options: { headers?: Record<string, string>; limit?: number; token?: string | null } = {},
): Promise<Response> {
  const app = createOciApp(registry.services);
  const edge = createOciEdge(
    registry.services,
    { inlineLimitBytes: options.limit ?? 0 },
    (request, context) => {
      passed.push(request.method);
      return app.fetch(request, context);
    },
  );
  const { token = null } = options;
  const headers = {
    ...(body === undefined ? {} : { "content-length": String(body.length) }),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...options.headers,
  };
  const request = new Request(`http://registry.test${location}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: bytesOf(body) }),
  });
  return edge(request, { address: "192.0.2.1", requestId: "test", actor: "" });
}

const withDigest = (location: string, digest: string): string =>
  `${location}&digest=${encodeURIComponent(digest)}`;

describe("A fresh PUT of known length and digest", () => {
  test("goes to blob storage on the strength of its ticket alone, and the blob can be pulled", async () => {
    const digest = digestOf("layer");
    const location = await repository.begin();
    for (const form of [withDigest(location, digest), `${location}&digest=${digest}`].slice(0, 1)) {
      const response = await throughEdge(form, "PUT", "layer");
      expect(response.status).toBe(201);
      expect(response.headers.get("location")).toBe(`/v2/images/app/blobs/${digest}`);
      expect(response.headers.get("docker-content-digest")).toBe(digest);
    }
    expect(passed).toEqual([]);
    expect(await (await repository.send(`blobs/${digest}`)).text()).toBe("layer");
  });

  test("with other bytes than its digest says is refused with 400, and nothing stays", async () => {
    const digest = digestOf("layer");
    const location = withDigest(await repository.begin(), digest);
    const response = await throughEdge(location, "PUT", "liars");
    expect([response.status, (await errorOf(response)).code]).toEqual([400, "DIGEST_INVALID"]);
    expect(passed).toEqual([]);
    expect(await repository.status(`blobs/${digest}`)).toBe(404);
  });

  test("larger than the registry allows goes to the function, which says so", async () => {
    const policies = { maxFileBytes: 4 };
    await registry.createRegistry({ slug: "small", ecosystem: "oci", policies });
    const small = new Repository(registry, "small/app");
    const digest = digestOf("layer");
    const location = withDigest(await small.begin(), digest);
    const response = await throughEdge(location, "PUT", "layer", { token: ADMIN_TOKEN });
    expect([response.status, (await errorOf(response)).code]).toEqual([413, "UNSUPPORTED"]);
    expect(passed).toEqual(["PUT"]);
    expect(await small.status(`blobs/${digest}`)).toBe(404);
  });

  test("without a ticket that is good goes to the function, which asks who it is", async () => {
    const location = withDigest(await repository.begin(), digestOf("layer"));
    const altered = location.replace(/\.([0-9]+)\./, (_, seconds) => `.${Number(seconds) + 1}.`);
    expect((await throughEdge(altered, "PUT", "layer")).status).toBe(401);
    const moved = location.replace("images/app", "images/other");
    expect((await throughEdge(moved, "PUT", "layer")).status).toBe(401);
    expect((await throughEdge(moved, "PUT", "layer", { token: ADMIN_TOKEN })).status).toBe(404);
    registry.clock.aheadMs += 13 * 3_600_000;
    const late = await throughEdge(location, "PUT", "layer", { token: ADMIN_TOKEN });
    expect([late.status, (await errorOf(late)).code]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
    expect(passed).toHaveLength(4);
  });

  test("cannot be used again after it succeeded", async () => {
    const location = withDigest(await repository.begin(), digestOf("layer"));
    expect((await throughEdge(location, "PUT", "layer")).status).toBe(201);
    const again = await throughEdge(location, "PUT", "layer", { token: ADMIN_TOKEN });
    expect(again.status).toBe(404);
  });
});

describe("Everything else goes to the function", () => {
  test("the PUT after a PATCH, even with the ticket from before it", async () => {
    const location = await repository.begin();
    const token = ADMIN_TOKEN;
    const patched = await throughEdge(location, "PATCH", "first", { token });
    expect(patched.status).toBe(202);
    const digest = digestOf("firstlast");
    for (const [place, status] of [
      [patched.headers.get("location") ?? "", 201],
      [location, 404],
    ] as const) {
      const done = await throughEdge(withDigest(place, digest), "PUT", "last", { token });
      expect(done.status).toBe(status);
    }
    expect(passed).toEqual(["PATCH", "PUT", "PUT"]);
  });

  test("empty blobs, sha512, chunks and bodies of unknown length", async () => {
    const token = ADMIN_TOKEN;
    const fresh = async (digest: string): Promise<string> =>
      withDigest(await repository.begin(), digest);
    expect((await throughEdge(await fresh(digestOf("")), "PUT", "", { token })).status).toBe(201);
    const long = await fresh(digestOf("x", "sha512"));
    expect((await throughEdge(long, "PUT", "x", { token })).status).toBe(201);
    const chunk = { token, headers: { "content-range": "0-0" } };
    expect((await throughEdge(await fresh(digestOf("x")), "PUT", "x", chunk)).status).toBe(201);
    expect(passed).toEqual(["PUT", "PUT", "PUT"]);
  });
});

describe("Where functions take small bodies only", () => {
  test("a larger one that has to go to them is refused with the remedies", async () => {
    const location = await repository.begin();
    const token = ADMIN_TOKEN;
    const response = await throughEdge(location, "PATCH", "x".repeat(101), { token, limit: 100 });
    const { code, message } = await errorOf(response);
    expect([response.status, code]).toEqual([413, "UNSUPPORTED"]);
    for (const remedy of ["docker buildx build --push", "regctl image copy", "oras cp"]) {
      expect(message).toContain(remedy);
    }
    expect(passed).toEqual([]);
    const small = await throughEdge(location, "PATCH", "x".repeat(100), { token, limit: 100 });
    expect(small.status).toBe(202);
  });

  test("a fresh PUT may be as large as blob storage takes", async () => {
    const text = "x".repeat(1000);
    const location = withDigest(await repository.begin(), digestOf(text));
    expect((await throughEdge(location, "PUT", text, { limit: 100 })).status).toBe(201);
  });
});
