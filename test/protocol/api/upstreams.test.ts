import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UpstreamCredentials } from "../../../shared/services/upstreams/upstream-credentials.ts";
import {
  type AwsRegistryTokens,
  AwsRegistryTokensError,
} from "../../../shared/ports/aws-registry-tokens.ts";
import { toUpstream, upstreamKey } from "../../../shared/records/upstreams.ts";
import { type Answer, type ApiClient, openApi } from "./client.ts";

let api: ApiClient;
beforeEach(async () => {
  api = await openApi();
});
afterEach(async () => api.close());

const NEW = { key: "corp", ecosystem: "npm", url: "https://npm.corp.example/registry/" };
const BASIC = { auth: { kind: "basic", username: "reader" }, secret: "s3cret-word" };

const create = (body: object, token?: string): Promise<Answer> =>
  api.call("POST", "/upstreams", { body, ...(token === undefined ? {} : { token }) });
const change = (key: string, body: object, token?: string): Promise<Answer> =>
  api.call("PATCH", `/upstreams/${key}`, { body, ...(token === undefined ? {} : { token }) });
const proxyOf = (upstream: string, more: object = {}): Promise<Answer> =>
  api.call("POST", "/registries", {
    body: { slug: `${upstream}-proxy`, ecosystem: "npm", kind: "proxy", upstream, ...more },
  });
const detail = ({ body }: Answer): string => String(Object(body).detail);

/** As the readers of proxies have it. */
async function credentials(key: string, aws?: AwsRegistryTokens) {
  const { stores } = api.registry;
  const item = await stores.table.get(upstreamKey(key));
  if (item === undefined) throw new Error(`no upstream ${key}`);
  return new UpstreamCredentials(stores, aws).of(toUpstream(item));
}

describe("a new upstream", () => {
  test("shows everything about it but its secret", async () => {
    const made = await create({ ...NEW, ...BASIC, exclude: ["@corp/*"] });
    expect(made).toMatchObject({
      status: 201,
      body: {
        key: "corp",
        ecosystem: "npm",
        url: "https://npm.corp.example/registry",
        auth: BASIC.auth,
        hasSecret: true,
        exclude: ["@corp/*"],
        include: [],
        offline: false,
        allowPrivate: false,
        timeoutMs: 10_000,
        documentTtlSeconds: 300,
        missingTtlSeconds: 60,
      },
    });
    expect(made.headers.get("location")).toBe("/api/v1/upstreams/corp");
    expect((await api.call("GET", "/upstreams/corp")).body).toEqual(made.body);
    expect((await api.call("GET", "/upstreams")).body).toEqual({ items: [made.body] });
  });

  test("has its secret in no answer, log of changes or row", async () => {
    await create({ ...NEW, ...BASIC });
    await change("corp", { secret: "s3cret-word-2" });
    const row = await api.registry.stores.table.get(upstreamKey("corp"));
    const shown = [
      await api.call("GET", "/upstreams/corp"),
      await api.call("GET", "/upstreams"),
      await api.call("GET", "/audit"),
    ];
    for (const text of [row, ...shown.map(({ body }) => body)].map((it) => JSON.stringify(it))) {
      expect(text).not.toContain("s3cret");
      expect(text).not.toContain(Buffer.from("s3cret").toString("base64").slice(0, 7));
    }
    expect(shown[2]?.body).toMatchObject({
      items: [
        { action: "upstream.update", detail: "corp npm.corp.example: secret" },
        { action: "upstream.create", actor: "admin", detail: "corp npm.corp.example" },
      ],
    });
  });

  test("of a preset needs its key only", async () => {
    expect(await create({ key: "pypi" })).toMatchObject({
      status: 201,
      body: { ecosystem: "pypi", url: "https://pypi.org/simple" },
    });
    expect((await create({ key: "pypi" })).status).toBe(409);
    expect(await create({ key: "corp", ecosystem: "npm" })).toMatchObject({
      status: 400,
      body: { issues: [{ at: "/url" }] },
    });
    expect(await create({ key: "npmjs", ecosystem: "pypi" })).toMatchObject({ status: 400 });
  });

  test("keeps patterns in the form in which names are compared", async () => {
    const pypi = { key: "pypi", exclude: ["Evil__*"] };
    expect(await create(pypi)).toMatchObject({ status: 201, body: { exclude: ["evil-*"] } });
    expect(await change("pypi", { include: ["Acme.Core"] })).toMatchObject({
      body: { include: ["acme-core"], exclude: ["evil-*"] },
    });
  });

  test.each([
    ["not a url", "is not a URL"],
    ["ftp://npm.corp.example/", "must start with https://"],
    ["http://npm.corp.example/", "allowPrivate"],
    ["https://me:word@npm.corp.example/", "user name or password"],
    ["https://npm.corp.example/?", "query or fragment"],
    ["https://npm.corp.example/?a=b", "query or fragment"],
    ["https://npm.corp.example/#a", "query or fragment"],
    ["https://127.0.0.1/", "not a public address"],
    ["https://2130706433/", "not a public address"],
    ["https://[::1]/", "not a public address"],
    ["https://10.0.0.1/", "not a public address"],
    ["https://169.254.169.254/latest", "metadata service"],
  ])("cannot be at %s", async (url, words) => {
    const answer = await create({ ...NEW, url });
    expect(answer).toMatchObject({ status: 400, body: { issues: [{ at: "/url" }] } });
    expect(detail(answer)).toContain(words);
    await create(NEW);
    expect((await change("corp", { url })).status).toBe(400);
  });

  test("cannot be this deployment, nor a metadata service however it is configured", async () => {
    const own = await create({ ...NEW, url: "http://registry.test/npm/a", allowPrivate: true });
    expect(detail(own)).toContain("deployment's own");
    const metadata = await create({ ...NEW, url: "http://169.254.169.254", allowPrivate: true });
    expect(detail(metadata)).toContain("metadata service");
    const local = await create({ ...NEW, url: "http://127.0.0.1:4873/", allowPrivate: true });
    expect(local).toMatchObject({ status: 201, body: { url: "http://127.0.0.1:4873" } });
  });

  test.each([
    ["/secret", { auth: { kind: "bearer" } }],
    ["/secret", { secret: "word" }],
    ["/secret", { auth: { kind: "bearer" }, secret: "two\r\nlines" }],
    ["/secret", { auth: { kind: "header", name: "X-Api-Key" }, secret: "é" }],
    ["/auth/name", { auth: { kind: "header", name: "Host" }, secret: "word" }],
    ["/auth/name", { auth: { kind: "header", name: "a b" }, secret: "word" }],
    ["/auth/username", { auth: { kind: "basic", username: "a:b" }, secret: "word" }],
    ["/auth/region", { auth: { kind: "aws", service: "ecr", region: "evil.example/" } }],
    ["/auth/domain", { auth: { kind: "aws", service: "ecr", region: "eu-west-1", domain: "ab" } }],
    ["/auth/domain", { auth: { kind: "aws", service: "codeartifact", region: "eu-west-1" } }],
    [
      "/auth/roleArn",
      { auth: { kind: "aws", service: "ecr", region: "eu-west-1", roleArn: "arn:aws:iam::1" } },
    ],
    ["/key", { key: "Not a key" }],
    ["/timeoutMs", { timeoutMs: 0 }],
    ["/documentTtlSeconds", { documentTtlSeconds: -1 }],
    ["/ecosystem", { ecosystem: "cobol" }],
    ["/sealedSecret", { sealedSecret: "v1.x" }],
  ])("says with a JSON pointer that %s is wrong", async (at, more) => {
    expect(await create({ ...NEW, ...more })).toMatchObject({
      status: 400,
      body: { issues: [{ at }] },
    });
  });
});

describe("the secret of an upstream", () => {
  test.each([
    [BASIC, { authorization: `Basic ${Buffer.from("reader:s3cret-word").toString("base64")}` }],
    [{ auth: { kind: "bearer" }, secret: "tok" }, { authorization: "Bearer tok" }],
    [{ auth: { kind: "header", name: "X-Api-Key" }, secret: "tok" }, { "x-api-key": "tok" }],
    [{}, {}],
  ])("becomes a header: %j", async (auth, headers) => {
    await create({ ...NEW, ...auth });
    expect(await credentials("corp")).toEqual(headers);
  });

  test.each([
    [{ url: "https://evil.example/registry" }],
    [{ url: "https://npm.corp.example:444/registry" }],
    [{ auth: { kind: "bearer" } }],
    [{ auth: { kind: "header", name: "User-Name" } }],
    [{ auth: { kind: "basic", username: "other" } }],
  ])("stays with what it was given for: %j needs it again", async (edits) => {
    await create({ ...NEW, ...BASIC });
    expect(await change("corp", edits)).toMatchObject({
      status: 400,
      body: { issues: [{ at: "/secret" }] },
    });
    expect(await change("corp", { ...edits, secret: "other" })).toMatchObject({
      status: 200,
      body: { hasSecret: true },
    });
    expect(JSON.stringify(await credentials("corp"))).not.toContain("s3cret");
  });

  test("stays through other changes, and goes with the authentication", async () => {
    await create({ ...NEW, ...BASIC });
    const edits = { url: "https://npm.corp.example/other", auth: BASIC.auth, offline: true };
    expect(await change("corp", edits)).toMatchObject({
      status: 200,
      body: { url: "https://npm.corp.example/other", offline: true, hasSecret: true },
    });
    expect(await credentials("corp")).toHaveProperty("authorization");
    expect(await change("corp", { auth: { kind: "none" } })).toMatchObject({
      status: 200,
      body: { hasSecret: false },
    });
    expect((await change("corp", { auth: BASIC.auth })).status).toBe(400);
  });

  test("cannot be moved to another row, nor be read when it is damaged", async () => {
    await create({ ...NEW, ...BASIC });
    await create({ ...NEW, key: "other", auth: { kind: "bearer" }, secret: "tok" });
    const { table } = api.registry.stores;
    const from = await table.get(upstreamKey("corp"));
    const sealedSecret = from === undefined ? "" : toUpstream(from).sealedSecret;
    for (const text of [sealedSecret, `${sealedSecret.slice(0, -2)}AA`, "v1.", "plain"]) {
      const set = { sealedSecret: text };
      await table.write([{ op: "update", key: upstreamKey("other"), set }]);
      await expect(credentials("other")).rejects.toMatchObject({ code: "upstream-failed" });
    }
  });
});

describe("tokens of AWS", () => {
  const AWS = {
    ...NEW,
    url: "https://acme-111122223333.d.codeartifact.eu-west-1.amazonaws.com/npm/all",
    auth: { kind: "aws", service: "codeartifact", region: "eu-west-1", domain: "acme" },
  };

  test("are made once for many requests, and again five minutes before they expire", async () => {
    await create(AWS);
    let made = 0;
    const { stores, clock } = api.registry;
    const aws: AwsRegistryTokens = {
      make: async () => ({
        username: "aws",
        password: `tok${++made}`,
        expiresAtMs: stores.now() + 3_600_000,
      }),
    };
    const item = await stores.table.get(upstreamKey("corp"));
    if (item === undefined) throw new Error("no upstream");
    const all = new UpstreamCredentials(stores, aws);
    const header = { authorization: "Bearer tok1" };
    const upstream = toUpstream(item);
    expect(await Promise.all([all.of(upstream), all.of(upstream)])).toEqual([header, header]);
    clock.aheadMs = 54 * 60_000;
    expect(await all.of(upstream)).toEqual(header);
    clock.aheadMs = 56 * 60_000;
    expect(await Promise.all([all.of(upstream), all.of(upstream)])).toEqual(
      Array.from({ length: 2 }, () => ({ authorization: "Bearer tok2" })),
    );
  });

  test("that cannot be had count as a failure of the upstream, and are asked for again", async () => {
    await create(AWS);
    await expect(credentials("corp")).rejects.toMatchObject({ code: "upstream-failed" });
    let tries = 0;
    const aws: AwsRegistryTokens = {
      make: async () => {
        tries += 1;
        throw new AwsRegistryTokensError("sts answers AccessDenied");
      },
    };
    await expect(credentials("corp", aws)).rejects.toMatchObject({
      code: "upstream-failed",
      message: expect.stringContaining("sts answers AccessDenied"),
    });
    expect(tries).toBe(1);
  });
});

describe("who may manage upstreams", () => {
  test("is who may manage registries, patterns of their slugs matching keys", async () => {
    await create(NEW);
    await create({ ...NEW, key: "other" });
    const narrow = await api.tokenFor({
      scopes: ["registries:write", "registries:delete"],
      registries: ["corp*"],
    });
    const reader = await api.tokenFor({ scopes: ["registries:read"] });
    const packages = await api.tokenFor({ scopes: ["packages:write"] });
    const get = async (key: string, token: string | null) =>
      (await api.call("GET", `/upstreams/${key}`, { token })).status;
    expect([await get("corp", null), await get("corp", packages)]).toEqual([401, 403]);
    expect([await get("corp", reader), await get("nothing", reader)]).toEqual([200, 404]);
    expect([await get("corp", narrow), await get("other", narrow)]).toEqual([200, 404]);
    const listed = Object((await api.call("GET", "/upstreams", { token: narrow })).body).items;
    expect(listed).toMatchObject([{ key: "corp" }]);
    expect((await change("corp", { offline: true }, reader)).status).toBe(403);
    expect((await change("other", { offline: true }, narrow)).status).toBe(404);
    expect((await create({ ...NEW, key: "mine" }, narrow)).status).toBe(403);
    expect((await create({ ...NEW, key: "corp-2" }, narrow)).status).toBe(201);
    const remove = (key: string, token: string) =>
      api.call("DELETE", `/upstreams/${key}`, { token });
    expect((await remove("other", narrow)).status).toBe(404);
    expect((await remove("corp", narrow)).status).toBe(204);
    expect((await api.call("GET", "/upstreams/corp")).status).toBe(404);
  });

  test("is an administrator alone for what this deployment alone can reach", async () => {
    const editor = await api.tokenFor({ scopes: ["registries:write"] });
    const inside = { ...NEW, url: "http://10.0.0.1/", allowPrivate: true };
    const aws = { auth: { kind: "aws", service: "ecr", region: "eu-west-1" }, ecosystem: "oci" };
    expect((await create(inside, editor)).status).toBe(403);
    expect((await create({ ...NEW, ...aws }, editor)).status).toBe(403);
    expect((await create({ ...NEW, ...aws })).status).toBe(201);
    expect((await change("corp", { offline: true }, editor)).status).toBe(200);
    expect((await change("corp", { url: "https://evil.example" }, editor)).status).toBe(403);
    expect((await change("corp", { allowPrivate: true }, editor)).status).toBe(403);
    expect((await change("corp", { auth: { kind: "none" } }, editor)).status).toBe(200);
    expect((await change("corp", { auth: aws.auth }, editor)).status).toBe(403);
  });
});

describe("an upstream that a proxy caches", () => {
  test("cannot be deleted", async () => {
    await create(NEW);
    expect((await proxyOf("corp")).status).toBe(201);
    const answer = await api.call("DELETE", "/upstreams/corp");
    expect(answer.status).toBe(409);
    expect(detail(answer)).toContain('"corp-proxy"');
    await api.call("DELETE", "/registries/corp-proxy?confirm=corp-proxy");
    expect((await api.call("DELETE", "/upstreams/corp")).status).toBe(204);
  });

  test("is either deleted or cached, when both are tried at once", async () => {
    for (const key of ["a", "b", "c", "d"]) {
      await create({ ...NEW, key });
      const [removed, made] = await Promise.all([
        api.call("DELETE", `/upstreams/${key}`),
        proxyOf(key),
      ]);
      expect([removed.status, made.status]).toSatisfy(
        ([deletion, creation]) =>
          (deletion === 204 && creation === 404) || (deletion === 409 && creation === 201),
      );
    }
  });

  test("gets no authentication while the proxy is public", async () => {
    await create(NEW);
    expect((await proxyOf("corp", { visibility: "public" })).status).toBe(201);
    const answer = await change("corp", BASIC);
    expect(answer.status).toBe(409);
    expect(detail(answer)).toContain("corp-proxy");
  });
});
