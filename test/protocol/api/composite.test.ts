import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, type ApiClient, openApi } from "./client.ts";

let api: ApiClient;
beforeEach(async () => {
  api = await openApi();
});
afterEach(async () => api.close());

const create = (slug: string, more: object = {}, token?: string): Promise<Answer> =>
  api.call("POST", "/registries", {
    body: { slug, ecosystem: "npm", ...more },
    ...(token === undefined ? {} : { token }),
  });
const composite = (slug: string, upstreams: readonly string[], more: object = {}, token?: string) =>
  create(slug, { kind: "composite", upstreams, ...more }, token);
const change = (slug: string, body: object, token?: string): Promise<Answer> =>
  api.call("PATCH", `/registries/${slug}`, { body, ...(token === undefined ? {} : { token }) });
const remove = (slug: string): Promise<Answer> =>
  api.call("DELETE", `/registries/${slug}?confirm=${slug}`);
const detail = ({ body }: Answer): string => String(Object(body).detail);

/** One name after the other, so that what fails names itself. */
async function sources(...slugs: readonly string[]): Promise<void> {
  for (const slug of slugs) expect((await create(slug)).status).toBe(201);
}

describe("creating a composite", () => {
  test("shows what it reads from, in order", async () => {
    await sources("a", "b");
    const answer = await composite("all", ["b", "a"], {
      publishTo: "a",
      minimumAgeDays: 7,
      minimumAgeExempt: ["@acme/*"],
      packageRules: [{ pattern: "@acme/*", external: "block" }],
    });
    expect(answer).toMatchObject({
      status: 201,
      body: {
        kind: "composite",
        visibility: "private",
        upstreams: ["b", "a"],
        official: false,
        publishTo: "a",
        minimumAgeDays: 7,
        minimumAgeExempt: ["@acme/*"],
        packageRules: [{ pattern: "@acme/*", external: "block" }],
        url: "http://registry.test/npm/all/",
      },
    });
    expect(answer.body).not.toHaveProperty("officialRegistry");
    expect((await api.call("GET", "/registries/all")).body).toEqual(answer.body);
  });
});

describe("the official registry", () => {
  test("comes with its upstream and proxy, once for all composites", async () => {
    const first = await composite("one", [], { official: true });
    expect(first).toMatchObject({
      status: 201,
      body: { official: true, officialRegistry: "npmjs" },
    });
    expect(await composite("two", [], { official: true })).toMatchObject({
      status: 201,
      body: { officialRegistry: "npmjs" },
    });
    expect((await api.call("GET", "/registries/npmjs")).body).toMatchObject({
      kind: "proxy",
      upstream: "npmjs",
      visibility: "private",
    });
    expect((await api.call("GET", "/upstreams/npmjs")).body).toMatchObject({
      url: "https://registry.npmjs.org",
      ecosystem: "npm",
      auth: { kind: "none" },
      hasSecret: false,
    });
  });
});

describe("cycles", () => {
  test("are refused, and the way round is named", async () => {
    await sources("s");
    await composite("a", ["s"]);
    await composite("b", ["a"]);
    const answer = await change("a", { upstreams: ["s", "b"] });
    expect(answer.status).toBe(409);
    expect(detail(answer)).toContain("a → b → a");
    expect((await change("a", { upstreams: ["a"] })).status).toBe(409);
  });

  test("of two composites that name each other at the same moment: one change wins", async () => {
    await composite("a", []);
    await composite("b", []);
    const answers = await Promise.all([
      change("a", { upstreams: ["b"] }),
      change("b", { upstreams: ["a"] }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});

describe("what a composite reads from", () => {
  test("cannot be deleted, and can as soon as it is taken out", async () => {
    await sources("a", "b");
    await composite("all", ["a", "b"]);
    const answer = await remove("a");
    expect(answer.status).toBe(409);
    expect(detail(answer)).toContain('"all"');
    await change("all", { upstreams: ["b"] });
    expect((await remove("a")).status).toBe(204);
  });

  test("is either deleted or added, when both are tried at once", async () => {
    for (const slug of ["a", "b", "c", "d"]) {
      await sources(slug);
      const [removed, added] = await Promise.all([remove(slug), composite(`of-${slug}`, [slug])]);
      expect([removed.status, added.status]).toSatisfy(
        ([deletion, creation]) =>
          (deletion === 204 && creation === 404) || (deletion === 409 && creation === 201),
      );
    }
  });
});
