import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, type ApiClient, openApi } from "./client.ts";

let api: ApiClient;
beforeEach(async () => {
  api = await openApi();
});
afterEach(async () => api.close());

const proxy = (slug: string, more: object = {}, token?: string): Promise<Answer> =>
  api.call("POST", "/registries", {
    body: { slug, ecosystem: "npm", kind: "proxy", ...more },
    ...(token === undefined ? {} : { token }),
  });
const change = (slug: string, body: object): Promise<Answer> =>
  api.call("PATCH", `/registries/${slug}`, { body });
const detail = ({ body }: Answer): string => String(Object(body).detail);

const CORP = { key: "corp", ecosystem: "npm", url: "https://npm.corp.example" };
const upstream = (more: object = {}): Promise<Answer> =>
  api.call("POST", "/upstreams", { body: { ...CORP, ...more } });

describe("creating a proxy", () => {
  test("of a preset creates the preset's upstream too, once", async () => {
    expect(await proxy("public-npm", { upstream: "npmjs", minimumAgeDays: 3 })).toMatchObject({
      status: 201,
      body: { kind: "proxy", upstream: "npmjs", minimumAgeDays: 3, visibility: "private" },
    });
    expect((await proxy("public-npm-2", { upstream: "npmjs" })).status).toBe(201);
    const { body } = await api.call("GET", "/audit");
    expect(Object(body).items.map(({ action }: { action: string }) => action)).toEqual([
      "registry.create",
      "upstream.create",
      "registry.create",
    ]);
  });

  test("creates nothing at all when it is refused", async () => {
    await api.call("POST", "/registries", { body: { slug: "taken", ecosystem: "npm" } });
    expect((await proxy("taken", { upstream: "npmjs" })).status).toBe(409);
    expect((await api.call("GET", "/upstreams/npmjs")).status).toBe(404);
  });

  test("twice at once under one name, of an upstream that is still to be made: one wins", async () => {
    const answers = await Promise.all([
      proxy("public-npm", { upstream: "npmjs" }),
      proxy("public-npm", { upstream: "npmjs" }),
      proxy("other-npm", { upstream: "npmjs" }),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 409]);
  });

  test.each([
    ["/upstream", {}],
    ["/upstream", { upstream: "Not a key" }],
    ["/upstreams", { upstream: "npmjs", upstreams: [] }],
    ["/official", { upstream: "npmjs", official: true }],
    ["/publishTo", { upstream: "npmjs", publishTo: "a" }],
    [
      "/packageRules/0/publish",
      { upstream: "npmjs", packageRules: [{ pattern: "*", publish: "block" }] },
    ],
    ["/packageRules/0", { upstream: "npmjs", packageRules: [{ pattern: "*" }] }],
    ["/minimumAgeDays", { upstream: "npmjs", minimumAgeDays: -1 }],
  ])("says with a JSON pointer that %s is wrong", async (at, more) => {
    expect(await proxy("p", more)).toMatchObject({ status: 400, body: { issues: [{ at }] } });
  });

  test("needs an upstream that exists, of its ecosystem, that the token covers", async () => {
    await upstream();
    expect((await proxy("p", { upstream: "nothing" })).status).toBe(404);
    expect((await proxy("p", { upstream: "pypi" })).status).toBe(404);
    expect(await proxy("p", { upstream: "corp", ecosystem: "maven" })).toMatchObject({
      status: 400,
      body: { issues: [{ at: "/upstream" }] },
    });
    const token = await api.tokenFor({ scopes: ["registries:write"], registries: ["p", "q"] });
    expect((await proxy("p", { upstream: "corp" }, token)).status).toBe(404);
    expect((await proxy("p", { upstream: "npmjs" }, token)).status).toBe(403);
  });
});

describe("a proxy", () => {
  test("keeps its upstream for good", async () => {
    await upstream();
    await proxy("p", { upstream: "corp" });
    const answer = await change("p", { upstream: "npmjs" });
    expect(answer).toMatchObject({ status: 400, body: { issues: [{ at: "/upstream" }] } });
    expect((await change("p", { upstream: "corp", description: "same" })).status).toBe(200);
  });

  test("is public only where the upstream needs no authentication", async () => {
    await upstream({ auth: { kind: "bearer" }, secret: "tok" });
    const refused = await proxy("p", { upstream: "corp", visibility: "public" });
    expect(refused).toMatchObject({ status: 400, body: { issues: [{ at: "/visibility" }] } });
    expect(detail(refused)).toContain("needs authentication");
    expect((await proxy("p", { upstream: "corp" })).status).toBe(201);
    expect((await change("p", { visibility: "public" })).status).toBe(400);
    await api.call("PATCH", "/upstreams/corp", { body: { auth: { kind: "none" } } });
    expect((await change("p", { visibility: "public" })).status).toBe(200);
  });

  test("can have its rules and ages changed", async () => {
    await proxy("p", {
      upstream: "npmjs",
      packageRules: [{ pattern: "evil-*", external: "block" }],
    });
    expect(await change("p", { minimumAgeDays: 14, minimumAgeExempt: ["@types/*"] })).toMatchObject(
      {
        status: 200,
        body: {
          minimumAgeDays: 14,
          minimumAgeExempt: ["@types/*"],
          packageRules: [{ pattern: "evil-*", external: "block" }],
        },
      },
    );
  });
});

test("a source has rules of publishing only, and nothing else of composites and proxies", async () => {
  const create = (more: object): Promise<Answer> =>
    api.call("POST", "/registries", { body: { slug: "s", ecosystem: "pypi", ...more } });
  for (const [at, more] of [
    ["/upstream", { upstream: "pypi" }],
    ["/upstreams", { upstreams: ["a"] }],
    ["/minimumAgeDays", { minimumAgeDays: 1 }],
    ["/packageRules/0/external", { packageRules: [{ pattern: "*", external: "block" }] }],
  ] as const) {
    expect(await create(more)).toMatchObject({ status: 400, body: { issues: [{ at }] } });
  }
  expect(
    await create({ packageRules: [{ pattern: "Acme__Tools.*", publish: "block" }] }),
  ).toMatchObject({ status: 201, body: { packageRules: [{ pattern: "acme-tools-*" }] } });
});
