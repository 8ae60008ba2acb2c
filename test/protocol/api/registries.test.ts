import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ApiClient, openApi } from "./client.ts";

let api: ApiClient;
beforeEach(async () => {
  api = await openApi();
});
afterEach(async () => api.close());

const NEW = { slug: "files", ecosystem: "generic", kind: "source", visibility: "private" };

describe("creating a registry", () => {
  test("answers 201 with where it is and everything about it", async () => {
    const answer = await api.call("POST", "/registries", {
      body: {
        ...NEW,
        description: "Our files",
        emoji: "📦",
        colour: "#aa00FF",
        labels: ["team-a"],
        policies: { restoreDays: 30 },
      },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe("/api/v1/registries/files");
    expect(answer.body).toMatchObject({
      ...NEW,
      description: "Our files",
      emoji: "📦",
      colour: "#aa00FF",
      labels: ["team-a"],
      policies: { mutableFiles: false, restoreDays: 30 },
      url: "http://registry.test/generic/files/",
    });
    expect(await api.call("GET", "/registries/files")).toMatchObject({
      status: 200,
      body: answer.body,
    });
  });

  test("takes private sources for granted", async () => {
    const { body } = await api.call("POST", "/registries", {
      body: { slug: "js", ecosystem: "npm" },
    });
    expect(body).toMatchObject({ kind: "source", visibility: "private" });
  });

  test("twice under one slug is a conflict", async () => {
    await api.call("POST", "/registries", { body: NEW });
    expect(await api.call("POST", "/registries", { body: NEW })).toMatchObject({
      status: 409,
      body: { type: "urn:entrepot:error:already-exists" },
    });
  });

  test.each([
    ["/slug", { slug: "Not a slug" }],
    ["/slug", { slug: "x".repeat(64) }],
    ["/slug", { slug: 7 }],
    // No client would take the name of an image behind these.
    ["/slug", { slug: "a___b" }],
    ["/slug", { slug: "a-_b" }],
    ["/ecosystem", { ecosystem: "cobol" }],
    ["/colour", { colour: "red" }],
    ["/labels/0", { labels: [""] }],
    ["/policies/restoreDays", { policies: { restoreDays: 366 } }],
    ["/policies/restoreDayz", { policies: { restoreDayz: 1 } }],
    ["/visibilty", { visibilty: "public" }],
    ["/description", { description: "\ud800" }],
    ["/emoji", { emoji: "\u0007" }],
  ])("says with a JSON pointer that %s is wrong", async (at, change) => {
    const answer = await api.call("POST", "/registries", { body: { ...NEW, ...change } });
    expect(answer).toMatchObject({ status: 400, body: { issues: [{ at }] } });
  });

  test("needs the scope, before the body is looked at", async () => {
    expect(await api.call("POST", "/registries", { body: "nonsense", token: null })).toMatchObject({
      status: 401,
    });
    const token = await api.tokenFor({ scopes: ["packages:write"] });
    expect(await api.call("POST", "/registries", { body: NEW, token })).toMatchObject({
      status: 403,
    });
  });

  test("under a name that the token does not cover is forbidden, whether there is one or not", async () => {
    const token = await api.tokenFor({ scopes: ["registries:write"], registries: ["team-*"] });
    const create = (slug: string) =>
      api.call("POST", "/registries", { body: { ...NEW, slug }, token });
    await api.call("POST", "/registries", { body: { ...NEW, slug: "taken" } });
    for (const slug of ["taken", "free"]) {
      expect(await create(slug)).toMatchObject({ status: 403 });
    }
    expect(await create("team-a")).toMatchObject({ status: 201 });
  });
});

describe("changing a registry", () => {
  test("changes what is named and nothing else", async () => {
    await api.call("POST", "/registries", { body: { ...NEW, description: "Our files" } });
    const answer = await api.call("PATCH", "/registries/files", {
      body: { visibility: "public", policies: { mutableFiles: true } },
    });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        visibility: "public",
        description: "Our files",
        policies: { mutableFiles: true, restoreDays: 7 },
      },
    });
  });

  test("needs a body, if an empty one", async () => {
    await api.call("POST", "/registries", { body: NEW });
    expect(await api.call("PATCH", "/registries/files")).toMatchObject({ status: 400 });
    expect(await api.call("PATCH", "/registries/files", { body: {} })).toMatchObject({
      status: 200,
    });
  });

  test("cannot change what a registry is", async () => {
    await api.call("POST", "/registries", { body: NEW });
    expect(await api.call("PATCH", "/registries/files", { body: { slug: "other" } })).toMatchObject(
      {
        status: 400,
        body: { issues: [{ at: "/slug" }] },
      },
    );
  });
});

describe("deleting a registry", () => {
  test("happens only when its name is typed", async () => {
    await api.call("POST", "/registries", { body: NEW });
    for (const path of [
      "/registries/files",
      "/registries/files?confirm=file",
      "/registries/files?confirm=",
    ]) {
      expect(await api.call("DELETE", path)).toMatchObject({
        status: 400,
        body: { type: "urn:entrepot:error:confirmation-required" },
      });
    }
    expect(await api.call("DELETE", "/registries/files?confirm=files")).toMatchObject({
      status: 204,
    });
    expect(await api.call("GET", "/registries/files")).toMatchObject({ status: 404 });
  });
});

describe("listing registries", () => {
  test("pages by slug", async () => {
    for (const slug of ["c", "a", "b"])
      await api.call("POST", "/registries", { body: { ...NEW, slug } });
    const first = await api.call("GET", "/registries?limit=2");
    expect(first.body).toMatchObject({ items: [{ slug: "a" }, { slug: "b" }] });
    const { nextCursor } = Object(first.body);
    const second = await api.call("GET", `/registries?limit=2&cursor=${nextCursor}`);
    expect(second.body).toMatchObject({ items: [{ slug: "c" }] });
  });

  test("shows the public ones to everybody, and the others to those who may know of them", async () => {
    await api.call("POST", "/registries", { body: { ...NEW, slug: "open", visibility: "public" } });
    await api.call("POST", "/registries", { body: { ...NEW, slug: "mine" } });
    await api.call("POST", "/registries", { body: { ...NEW, slug: "theirs" } });
    const slugs = async (token: string | null): Promise<unknown> =>
      Object((await api.call("GET", "/registries", { token })).body).items.map(
        ({ slug }: { slug: string }) => slug,
      );
    expect(await slugs(null)).toEqual(["open"]);
    expect(
      await slugs(await api.tokenFor({ scopes: ["packages:read"], registries: ["mine"] })),
    ).toEqual(["mine", "open"]);
  });

  test.each([
    "limit=0",
    "limit=101",
    "limit=x",
    "limit=1.5",
    "cursor=abc",
    "limt=1",
    "limit=1&limit=2",
  ])("with ?%s is refused", async (query) => {
    expect(await api.call("GET", `/registries?${query}`)).toMatchObject({ status: 400 });
  });
});

test("what a token may not know of is 404, and 401 without a token, whether it exists or not", async () => {
  await api.call("POST", "/registries", { body: NEW });
  const token = await api.tokenFor({ scopes: ["packages:read"], registries: ["other"] });
  for (const slug of ["files", "nothing"]) {
    expect(await api.call("GET", `/registries/${slug}`, { token })).toMatchObject({ status: 404 });
    expect(await api.call("GET", `/registries/${slug}`, { token: null })).toMatchObject({
      status: 401,
    });
  }
});
