import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHealthApp } from "../../../functions/api/health.ts";
import { BlobsUnavailableError } from "../../../shared/ports/blobs.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";

let registry: TestRegistry;
beforeEach(async () => {
  registry = await openTestRegistry();
});
afterEach(async () => registry.close());

/** The app over stores of which the blobs answer a ping as they are told. */
function appWith(ping: () => Promise<void>) {
  const { services, stores } = registry;
  const blobs = Object.create(stores.blobs, { ping: { value: ping } });
  return createHealthApp({ ...services, stores: { ...stores, blobs } });
}

describe("/readyz", () => {
  test("answers 200 while every store does", async () => {
    const response = await createHealthApp(registry.services).request("/readyz");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: "ready",
      checks: [
        { name: "table", ok: true },
        { name: "blobs", ok: true },
      ],
    });
  });

  test("answers 503 with the store that fails, without its own words", async () => {
    const app = appWith(async () => {
      throw new BlobsUnavailableError("connect ECONNREFUSED 10.1.2.3");
    });
    const response = await app.request("/readyz");
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      status: "not-ready",
      checks: [
        { name: "table", ok: true },
        { name: "blobs", ok: false, problem: "does not answer" },
      ],
    });
    expect(text).not.toContain("10.1.2.3");
  });

  test("does not wait for a store for ever", async () => {
    const response = await appWith(() => new Promise(() => {})).request("/readyz");
    expect(response.status).toBe(503);
  });
});

test("/healthz answers 200 whatever the stores do", async () => {
  await registry.stores.table.close();
  const response = await createHealthApp(registry.services).request("/healthz");
  expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
});
