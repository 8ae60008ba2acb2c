import { expect, it } from "vitest";
import { lazily } from "../../functions/protocols.ts";
import { openTestRegistry } from "../support/services.ts";

const context = { address: "192.0.2.1", requestId: "test-request", actor: "" };
const ask = (path: string) => new Request(`http://registry.test${path}`);

it("an app's code is loaded by its first request, once for all that wait for it", async () => {
  const registry = await openTestRegistry();
  let loaded = 0;
  let created = 0;
  const create = lazily(async () => {
    loaded += 1;
    await Promise.resolve();
    return () => {
      created += 1;
      return { fetch: (request) => new Response(new URL(request.url).pathname) };
    };
  });
  const app = create(registry.services);
  expect(loaded).toBe(0);
  const answers = await Promise.all(
    ["/a", "/b"].map(async (path) => app.fetch(ask(path), context)),
  );
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(["/a", "/b"]);
  expect(await (await app.fetch(ask("/c"), context)).text()).toBe("/c");
  expect({ loaded, created }).toEqual({ loaded: 1, created: 1 });
  await registry.close();
});

it("an app whose code could not be loaded is tried again by the next request", async () => {
  const registry = await openTestRegistry();
  let isThere = false;
  const create = lazily(async () => {
    await Promise.resolve();
    if (!isThere) throw new Error("not there");
    return () => ({ fetch: () => new Response("here") });
  });
  const app = create(registry.services);
  await expect(app.fetch(ask("/"), context)).rejects.toThrow("not there");
  isThere = true;
  expect(await (await app.fetch(ask("/"), context)).text()).toBe("here");
  await registry.close();
});
