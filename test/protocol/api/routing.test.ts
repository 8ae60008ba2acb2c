import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listPackageOp } from "../../../shared/records/packages.ts";
import { type Answer, type ApiClient, openApi } from "./client.ts";

let api: ApiClient;
beforeEach(async () => {
  api = await openApi();
  const { registry } = api;
  await registry.createRegistry({ slug: "libs", ecosystem: "pypi" });
  await create("index", { kind: "proxy", upstream: "pypi" });
  await create("all", { kind: "composite", upstreams: ["libs"] });
  await change("all", { upstreams: ["libs", "index"] });
});
afterEach(async () => api.close());

const create = (slug: string, more: object): Promise<Answer> =>
  api.call("POST", "/registries", { body: { slug, ecosystem: "pypi", ...more } });
const change = (slug: string, body: object): Promise<Answer> =>
  api.call("PATCH", `/registries/${slug}`, { body });

async function idOf(slug: string): Promise<string> {
  return String(Object((await api.call("GET", `/registries/${slug}`)).body).id);
}

/** As a publish, or the first copy of an upstream's document, lists a name; ownership is the package's own row. */
async function list(slug: string, ...names: readonly string[]): Promise<void> {
  const id = await idOf(slug);
  const { table } = api.registry.stores;
  for (const name of names) {
    const key = { pk: `P#${id}#${name}`, sk: "PACKAGE" };
    const owned = slug === "libs" ? [{ op: "put", item: { key, attributes: {} } } as const] : [];
    await table.write([listPackageOp(id, name), ...owned]);
  }
}

describe("the routes of a package", () => {
  const routes = async (name: string, slug = "all", token?: string): Promise<Answer> =>
    api.call(
      "GET",
      `/registries/${slug}/routes?package=${encodeURIComponent(name)}`,
      token === undefined ? {} : { token },
    );

  test("lead to everyone for a name that nobody owns, in order", async () => {
    expect(await routes("Some__Thing")).toMatchObject({
      status: 200,
      body: {
        package: "some-thing",
        routes: [
          { registry: "libs", kind: "source", asked: true },
          { registry: "index", kind: "proxy", upstream: "pypi", asked: true },
        ],
      },
    });
  });

  test("do not lead outside for a name of a source, and say why", async () => {
    await list("libs", "acme-core");
    expect((await routes("acme-core")).body).toMatchObject({
      routes: [{ asked: true }, { asked: false, refusal: "owned-by-source" }],
    });
    await change("all", { packageRules: [{ pattern: "Acme_*", external: "allow" }] });
    expect((await routes("acme-core")).body).toMatchObject({
      routes: [{ asked: true }, { asked: true }],
    });
  });

  test("follow rules and what the upstream is asked for", async () => {
    const packageRules = [
      { pattern: "acme-*", external: "block" },
      { pattern: "legacy-*", internal: "block" },
    ];
    await change("all", { packageRules });
    await api.call("PATCH", "/upstreams/pypi", { body: { exclude: ["evil-*"] } });
    const refusals = async (name: string): Promise<unknown> =>
      Object((await routes(name)).body).routes.map(
        ({ refusal = "" }: { readonly refusal?: string }) => refusal,
      );
    expect(await refusals("acme-x")).toEqual(["", "external-blocked"]);
    expect(await refusals("legacy-x")).toEqual(["internal-blocked", ""]);
    expect(await refusals("evil-x")).toEqual(["", "excluded"]);
  });

  test("are shown for sources and proxies as well, and to readers only", async () => {
    expect((await routes("a", "libs")).body).toMatchObject({ routes: [{ registry: "libs" }] });
    expect((await routes("a", "index")).body).toMatchObject({ routes: [{ registry: "index" }] });
    expect((await routes("-", "all")).status).toBe(400);
    const token = await api.tokenFor({ scopes: ["packages:read"], registries: ["libs"] });
    expect((await routes("a", "all", token)).status).toBe(404);
  });
});

describe("the report of a rule", () => {
  const report = async (packageRules: readonly object[], query = "", slug = "all") =>
    api.call("POST", `/registries/${slug}/rule-report${query}`, { body: { packageRules } });
  const names = ({ body }: Answer): unknown =>
    Object(body).items.map((item: { readonly package: string }) => item.package);

  test("names what changes, before and after, and saves nothing", async () => {
    await list("libs", "acme-core", "other");
    await list("index", "acme-evil", "requests");
    const answer = await report([{ pattern: "Acme-*", publish: "block", external: "block" }]);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        items: [
          {
            package: "acme-core",
            before: { publish: "allow", internal: "allow", external: "block" },
            after: { publish: "block", internal: "allow", external: "block" },
          },
          {
            package: "acme-evil",
            before: { publish: "allow", internal: "allow", external: "allow" },
            after: { publish: "block", internal: "allow", external: "block" },
          },
        ],
      },
    });
    expect((await api.call("GET", "/registries/all")).body).toMatchObject({ packageRules: [] });
  });

  test("knows that only owned names are opened by external: allow", async () => {
    await list("libs", "acme-core");
    await list("index", "requests");
    const answer = await report([{ pattern: "*", external: "allow" }]);
    expect(answer.body).toMatchObject({
      items: [
        { package: "acme-core", before: { external: "block" }, after: { external: "allow" } },
      ],
    });
    expect(names(answer)).toEqual(["acme-core"]);
  });

  test("compares with the rules that there are", async () => {
    await list("libs", "a", "b");
    await change("all", { packageRules: [{ pattern: "a", publish: "block" }] });
    expect(names(await report([{ pattern: "a", publish: "block" }]))).toEqual([]);
    expect(names(await report([]))).toEqual(["a"]);
  });

  test("pages, each name once, however many registries have it", async () => {
    const all = Array.from(
      { length: 25 },
      (_, position) => `n${String(position).padStart(2, "0")}`,
    );
    await list("libs", ...all);
    await list("index", ...all.slice(5, 15));
    const seen: unknown[] = [];
    let query = "?limit=10";
    for (let pages = 0; pages < 5; pages++) {
      const { items, nextCursor } = Object(
        (await report([{ pattern: "*", publish: "block" }], query)).body,
      );
      seen.push(...items.map((item: { readonly package: string }) => item.package));
      if (nextCursor === undefined) break;
      query = `?limit=10&cursor=${nextCursor}`;
    }
    expect(seen).toEqual(all);
    expect((await report([], "?cursor=%21")).status).toBe(400);
  });

  test("refuses rules that could not be saved, and is for who may save them", async () => {
    expect((await report([{ pattern: "*" }])).status).toBe(400);
    expect((await report([{ pattern: "*", internal: "block" }], "", "libs")).status).toBe(400);
    const reader = await api.tokenFor({ scopes: ["packages:read", "registries:read"] });
    const answer = await api.call("POST", "/registries/all/rule-report", {
      body: { packageRules: [] },
      token: reader,
    });
    expect(answer.status).toBe(403);
  });
});
