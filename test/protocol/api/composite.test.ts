import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { registryOver } from "../../support/services.ts";
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
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });
});

/** Another process over the same stores: what waits in one does not wait for the other. */
async function elsewhere(method: string, path: string, body?: object): Promise<number> {
  const { stores, clock } = api.registry;
  const other = registryOver(stores, { clock, close: async () => {} });
  const response = await other.request(`/api/v1${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return response.status;
}

describe("two processes at the same moment", () => {
  test("do not make composites read from each other", async () => {
    for (const pair of ["p", "q", "r"]) {
      const [a, b] = [`${pair}-a`, `${pair}-b`];
      await composite(a, []);
      await composite(b, []);
      const [here, there] = await Promise.all([
        change(a, { upstreams: [b] }),
        elsewhere("PATCH", `/registries/${b}`, { upstreams: [a] }),
      ]);
      expect([here.status, there].toSorted((x, y) => x - y)).toEqual([200, 409]);
    }
  });

  test("either delete a registry or come to read from it", async () => {
    for (const slug of ["p", "q", "r"]) {
      await sources(slug);
      const [added, removed] = await Promise.all([
        composite(`of-${slug}`, [slug]),
        elsewhere("DELETE", `/registries/${slug}?confirm=${slug}`),
      ]);
      expect(["204 404", "409 201"]).toContain(`${removed} ${added.status}`);
    }
  });

  test("make the official registry once", async () => {
    const [here, there] = await Promise.all([
      composite("one", [], { official: true }),
      elsewhere("POST", "/registries", {
        slug: "two",
        ecosystem: "npm",
        kind: "composite",
        official: true,
      }),
    ]);
    expect([here.status, there]).toEqual([201, 201]);
    expect((await api.call("GET", "/registries/two")).body).toMatchObject({
      officialRegistry: "npmjs",
    });
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

describe("publishing through a composite", () => {
  const put = async (slug: string, name: string, token?: string): Promise<Response> =>
    api.registry.request(`/generic/${slug}/${name}/1.0.0/a.txt`, {
      method: "PUT",
      body: "hello",
      ...(token === undefined ? {} : { token }),
    });
  const generic = { ecosystem: "generic" };

  beforeEach(async () => {
    await create("libs", generic);
    await composite("all", ["libs"], { ...generic, publishTo: "libs" });
  });

  test("puts the package into the target", async () => {
    expect((await put("all", "tool")).status).toBe(201);
    expect((await api.call("GET", "/registries/libs/packages/tool")).status).toBe(200);
    expect(await api.call("DELETE", "/registries/all/packages/tool/versions/1.0.0")).toMatchObject({
      status: 204,
    });
    expect(
      (await api.call("GET", "/registries/libs/packages/tool/versions/1.0.0")).body,
    ).toMatchObject({ state: "deleted" });
  });

  test("needs the right to publish to both", async () => {
    const scopes = ["packages:write"];
    const tokens = {
      both: await api.tokenFor({ scopes, registries: ["all", "libs"] }),
      composite: await api.tokenFor({ scopes, registries: ["all"] }),
      target: await api.tokenFor({ scopes, registries: ["libs"] }),
      reader: await api.tokenFor({ scopes: ["packages:read"], registries: ["all", "libs"] }),
    };
    expect((await put("all", "tool", tokens.both)).status).toBe(201);
    const refused = await put("all", "other", tokens.composite);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('which composite \\"all\\" publishes to');
    expect((await put("all", "other", tokens.target)).status).toBe(404);
    expect((await put("all", "other", tokens.reader)).status).toBe(403);
    expect(
      (
        await api.registry.request("/generic/all/tool/1.0.0/b", {
          method: "PUT",
          body: "b",
          token: null,
        })
      ).status,
    ).toBe(401);
  });

  test("says what to do where there is no target", async () => {
    await change("all", { publishTo: "" });
    const answer = await put("all", "tool");
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("is a composite without a publish target");
    const reader = await api.tokenFor({ scopes: ["packages:read"], registries: ["all"] });
    expect((await put("all", "tool", reader)).status).toBe(403);
  });

  test.each(["all", "libs"])("is blocked for names that a rule of %s says so of", async (slug) => {
    const rules = [
      { pattern: "acme-tool", publish: "allow" },
      { pattern: "acme-*", publish: "block" },
    ];
    expect((await change(slug, { packageRules: rules })).status).toBe(200);
    const blocked = await put("all", "acme-new");
    expect(blocked.status).toBe(403);
    expect(await blocked.text()).toMatch(new RegExp(`${slug}.*acme-\\*`));
    expect((await put("all", "acme-tool")).status).toBe(201);
    expect((await put("libs", "acme-new")).status).toBe(slug === "all" ? 201 : 403);
  });

  test("works with upload tickets too", async () => {
    const begun = await api.call("POST", "/uploads", {
      body: {
        registry: "all",
        package: "big",
        version: "1",
        path: "a",
        sizeBytes: 1,
        sha256: "0".repeat(64),
      },
    });
    expect(begun).toMatchObject({ status: 201, body: { registry: "libs" } });
  });
});

test("nothing can be published to a proxy, and nothing be deleted from it", async () => {
  await create("npmjs", { kind: "proxy", upstream: "npmjs" });
  const published = await api.registry.request("/npm/npmjs/left-pad", {
    method: "PUT",
    body: "{}",
    headers: { "content-type": "application/json" },
  });
  expect(published.status).toBe(400);
  expect(await published.text()).toContain("is a proxy of the upstream");
  const deleted = await api.call("DELETE", "/registries/npmjs/packages/left-pad");
  expect(deleted.status).toBe(400);
  expect(detail(deleted)).toContain("purge");
});

describe("who may compose", () => {
  test("adds only what they may read all of, and may leave what others added", async () => {
    await sources("open-to-me", "secret");
    await composite("mine", ["secret"]);
    const writer = { scopes: ["registries:write", "packages:read"] };
    const token = await api.tokenFor({ ...writer, registries: ["mine*", "open-to-me"] });
    expect((await composite("mine-2", ["open-to-me"], {}, token)).status).toBe(201);
    const refused = await composite("mine-3", ["secret"], {}, token);
    expect(refused.status).toBe(404);
    expect((await change("mine-2", { upstreams: ["secret"] }, token)).status).toBe(404);
    expect((await change("mine", { upstreams: ["open-to-me", "secret"] }, token)).status).toBe(200);
    const narrow = await api.tokenFor({ ...writer, packages: ["@acme/*"] });
    const bounded = await composite("mine-4", ["open-to-me"], {}, narrow);
    expect(bounded.status).toBe(403);
    expect(detail(bounded)).toContain("only some packages");
    await change("open-to-me", { visibility: "public" });
    expect((await composite("mine-4", ["open-to-me"], {}, narrow)).status).toBe(201);
  });

  test("needs registries:write for the composite", async () => {
    await sources("a");
    await composite("all", ["a"]);
    const reader = await api.tokenFor({ scopes: ["registries:read", "packages:write"] });
    expect((await change("all", { upstreams: [] }, reader)).status).toBe(403);
    expect((await composite("mine", ["a"], {}, reader)).status).toBe(403);
  });

  test("gets the official registry only where the token covers its proxy", async () => {
    const token = await api.tokenFor({
      scopes: ["registries:write", "packages:read"],
      registries: ["team-*"],
    });
    const refused = await composite("team-all", [], { official: true }, token);
    expect(refused.status).toBe(409);
    expect(detail(refused)).toContain('"npmjs"');
    await composite("all", [], { official: true });
    expect((await composite("team-all", [], { official: true }, token)).status).toBe(404);
  });
});

describe("what cannot be composed", () => {
  test.each([
    ["/visibility", { visibility: "public" }],
    ["/upstreams/1", { upstreams: ["a", "a"] }],
    ["/upstreams/0", { upstreams: ["py"] }],
    ["/upstreams/0", { upstreams: ["Not a slug"] }],
    ["/publishTo", { upstreams: ["a"], publishTo: "b" }],
    ["/publishTo", { upstreams: ["inner"], publishTo: "inner" }],
    ["/upstream", { upstream: "npmjs" }],
    ["/packageRules/0/internal", { packageRules: [{ pattern: "*", internal: "maybe" }] }],
    ["/packageRules/0", { packageRules: [{ pattern: "*" }] }],
    ["/minimumAgeDays", { minimumAgeDays: 1.5 }],
  ])("says with a JSON pointer that %s is wrong: %j", async (at, more) => {
    await sources("a", "b");
    await create("py", { ecosystem: "pypi" });
    await composite("inner", ["a"]);
    expect(await composite("all", [], more)).toMatchObject({
      status: 400,
      body: { issues: [{ at }] },
    });
    await composite("made", ["a"]);
    if (!("upstream" in more)) expect((await change("made", more)).status).toBe(400);
  });

  test("is what does not exist, and a composite of itself", async () => {
    expect((await composite("all", ["nothing"])).status).toBe(404);
    expect((await composite("all", ["all"])).status).toBe(404);
  });

  test("is an official registry where there is none, or no name is left for its proxy", async () => {
    expect(await composite("all", [], { ecosystem: "generic", official: true })).toMatchObject({
      status: 400,
      body: { issues: [{ at: "/official" }] },
    });
    await sources("npmjs");
    expect(await composite("one", [], { official: true })).toMatchObject({
      body: { officialRegistry: "npmjs-official" },
    });
    await change("one", { official: false });
    await remove("npmjs-official");
    await sources("npmjs-official");
    expect((await change("one", { official: true })).status).toBe(409);
  });

  test("is a chain of more than five composites, at whichever end it grows", async () => {
    await sources("c0");
    for (let level = 1; level <= 5; level++) {
      expect((await composite(`c${level}`, [`c${level - 1}`])).status).toBe(201);
    }
    const deeper = await composite("c6", ["c5"]);
    expect(deeper.status).toBe(409);
    expect(detail(deeper)).toContain("6 levels");
    await composite("below", ["c0"]);
    const grown = await change("c1", { upstreams: ["c0", "below"] });
    expect(grown.status).toBe(409);
    expect(detail(grown)).toContain("c5");
  });

  test("reads from more than 50 registries in the end", async () => {
    const slugs = Array.from({ length: 51 }, (_, position) => `s${position}`);
    await sources(...slugs);
    expect((await composite("fifty", slugs.slice(0, 50))).status).toBe(201);
    expect((await composite("same", ["fifty", "s0"])).status).toBe(201);
    const answer = await composite("more", ["fifty", "s50"]);
    expect(answer.status).toBe(409);
    expect(detail(answer)).toContain("51 registries");
  });
});

describe("changing a composite", () => {
  test("changes what is named, and says so in the audit log", async () => {
    await sources("a", "b");
    await composite("all", ["a"], { publishTo: "a", minimumAgeDays: 7 });
    expect(await change("all", { upstreams: ["b", "a"] })).toMatchObject({
      status: 200,
      body: { upstreams: ["b", "a"], publishTo: "a", minimumAgeDays: 7 },
    });
    expect((await change("all", { upstreams: ["b"] })).status).toBe(400);
    const cleared = await change("all", { upstreams: ["b"], publishTo: "" });
    expect(cleared.status).toBe(200);
    expect(cleared.body).not.toHaveProperty("publishTo");
    const { body } = await api.call("GET", "/audit?limit=1");
    expect(body).toMatchObject({
      items: [
        {
          action: "registry.update",
          registry: "all",
          detail: expect.stringContaining("upstreams"),
        },
      ],
    });
  });

  test("takes the official registry out again, and its proxy stays", async () => {
    await composite("all", [], { official: true });
    expect((await remove("npmjs")).status).toBe(409);
    const off = await change("all", { official: false });
    expect(off.body).toMatchObject({ official: false });
    expect(off.body).not.toHaveProperty("officialRegistry");
    expect((await remove("npmjs")).status).toBe(204);
  });

  test("waits for many others instead of losing against them", async () => {
    const slugs = Array.from({ length: 40 }, (_, position) => `c${position}`);
    const answers = await Promise.all(slugs.map((slug) => composite(slug, [])));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  });

  test("by many at once loses none of their changes", async () => {
    await sources("a", "b", "c", "d");
    await Promise.all(["a", "b", "c", "d"].map((slug) => composite(`of-${slug}`, [slug])));
    const answers = await Promise.all(
      ["a", "b", "c", "d"].map((slug) => change(`of-${slug}`, { description: slug })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(
      (await Promise.all(["a", "b", "c", "d"].map(remove))).map(({ status }) => status),
    ).toEqual([409, 409, 409, 409]);
  });
});
