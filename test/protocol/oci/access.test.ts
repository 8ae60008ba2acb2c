import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { bytesOf, digestOf, errorOf, Repository } from "./builders.ts";

let registry: TestRegistry;
let secret: Repository;
let open: Repository;
beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "secret", ecosystem: "oci" });
  await registry.createRegistry({ slug: "open", ecosystem: "oci", visibility: "public" });
  secret = new Repository(registry, "secret/app");
  open = new Repository(registry, "open/app");
  await secret.pushImage("v1");
  await open.pushImage("v1");
});
afterEach(async () => registry.close());

const basic = (password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`user:${password}`).toString("base64")}`,
});

/** A token of docker's flow; `credentials` are what the client logs in with. */
async function fetchToken(
  scope: string,
  credentials: Record<string, string> = {},
): Promise<string> {
  const query = new URLSearchParams({ service: "registry.test", scope });
  const response = await registry.request(`/v2/_token?${query.toString()}`, {
    token: null,
    headers: credentials,
  });
  expect(response.status).toBe(200);
  const body: { token: string; access_token: string; expires_in: number } = JSON.parse(
    await response.text(),
  );
  expect(body).toMatchObject({ access_token: body.token, expires_in: 300 });
  return body.token;
}

async function createToken(fields: object): Promise<string> {
  const response = await registry.request("/api/v1/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ description: "test", ...fields }),
  });
  expect(response.status).toBe(201);
  const body: { token: string } = JSON.parse(await response.text());
  return body.token;
}

const manifest = "/v2/secret/app/manifests/v1";

describe("Without credentials", () => {
  test("the ping asks for them, though there are public registries", async () => {
    const response = await registry.request("/v2/", { token: null });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe(
      'Bearer realm="http://registry.test/v2/_token",service="registry.test"',
    );
    expect(response.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
    expect((await errorOf(response)).code).toBe("UNAUTHORIZED");
    expect((await registry.request("/v2/")).status).toBe(200);
  });

  test("a public repository can be pulled, at once and with an anonymous token, but not pushed to", async () => {
    expect((await open.send("manifests/v1", { token: null })).status).toBe(200);
    const token = await fetchToken("repository:open/app:pull,push");
    expect((await registry.request("/v2/", { token })).status).toBe(200);
    expect((await open.send("manifests/v1", { token })).status).toBe(200);
    expect((await open.send("blobs/uploads/", { method: "POST", token })).status).toBe(401);
  });

  test("a private repository answers like one that does not exist, with a challenge for it", async () => {
    const answers = [manifest, "/v2/nowhere/app/manifests/v1"].map(async (path) => {
      const response = await registry.request(path, { token: null });
      return [response.status, await response.text()];
    });
    const [there, nowhere] = await Promise.all(answers);
    expect(there).toEqual(nowhere);
    const response = await registry.request(manifest, { token: null });
    expect(response.headers.get("www-authenticate")).toContain(
      'scope="repository:secret/app:pull"',
    );
    const mount = `/v2/secret/app/blobs/uploads/?mount=${digestOf("x")}&from=open/app`;
    const push = await registry.request(mount, { method: "POST", token: null });
    expect(push.headers.get("www-authenticate")).toContain(
      'scope="repository:secret/app:pull,push repository:open/app:pull"',
    );
  });
});

describe("With an API token", () => {
  test("Basic is accepted as it is, whatever the user is called", async () => {
    const response = await registry.request(manifest, { token: null, headers: basic(ADMIN_TOKEN) });
    expect(response.status).toBe(200);
    const wrong = await registry.request(manifest, { token: null, headers: basic("wrong") });
    expect(wrong.status).toBe(401);
  });

  test("GET and OAuth 2 POST give short tokens for what was asked, and no more", async () => {
    const got = await fetchToken("repository:secret/app:pull", basic(ADMIN_TOKEN));
    expect((await registry.request(manifest, { token: got })).status).toBe(200);
    const push = await secret.send("blobs/uploads/", { method: "POST", token: got });
    expect(push.status).toBe(401);
    expect(push.headers.get("www-authenticate")).toContain("pull,push");
    expect((await registry.request("/v2/secret/other/tags/list", { token: got })).status).toBe(401);

    for (const fields of [
      { grant_type: "password", username: "user", password: ADMIN_TOKEN },
      { grant_type: "refresh_token", refresh_token: ADMIN_TOKEN },
    ]) {
      const scope = "repository:secret/app:pull,push repository:secret/other:pull";
      const response = await registry.request("/v2/_token", {
        method: "POST",
        token: null,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ ...fields, service: "registry.test", scope }).toString(),
      });
      const { access_token: token }: { access_token: string } = JSON.parse(await response.text());
      expect((await secret.send("blobs/uploads/", { method: "POST", token })).status).toBe(202);
      expect((await registry.request("/v2/secret/other/tags/list", { token })).status).toBe(404);
      expect((await secret.send("manifests/v1", { method: "DELETE", token })).status).toBe(401);
    }
    const wrong = { grant_type: "password", username: "user", password: "wrong" };
    const refused = await registry.request("/v2/_token", {
      method: "POST",
      token: null,
      body: new URLSearchParams(wrong).toString(),
    });
    expect(refused.status).toBe(401);
  });

  test("a short token can never do more than the token behind it, and ends with it or after 5 minutes", async () => {
    const reader = await createToken({ scopes: ["packages:read"], registries: ["secret"] });
    const scope = "repository:secret/app:pull,push,delete";
    const token = await fetchToken(scope, basic(reader));
    expect((await registry.request(manifest, { token })).status).toBe(200);
    const push = await secret.send("blobs/uploads/", { method: "POST", token });
    expect([push.status, (await errorOf(push)).code]).toEqual([403, "DENIED"]);
    registry.clock.aheadMs += 301_000;
    expect((await registry.request(manifest, { token })).status).toBe(401);
    const last = await fetchToken(scope, basic(reader));
    expect((await registry.request(manifest, { token: last })).status).toBe(200);
    const id = reader.split("_")[2] ?? "";
    const revoked = await registry.request(`/api/v1/tokens/${id}`, { method: "DELETE" });
    expect(revoked.status).toBe(204);
    expect((await registry.request(manifest, { token: last })).status).toBe(401);
  });

  test("a short token gets no other, neither a wider nor a later one", async () => {
    const token = await fetchToken("repository:secret/app:pull", basic(ADMIN_TOKEN));
    for (const scope of ["repository:secret/app:pull", "repository:secret/other:pull,push", ""]) {
      for (const headers of [{ authorization: `Bearer ${token}` }, basic(token)]) {
        const query = new URLSearchParams({ scope });
        const response = await registry.request(`/v2/_token?${query.toString()}`, {
          token: null,
          headers,
        });
        expect([response.status, (await errorOf(response)).code]).toEqual([401, "UNAUTHORIZED"]);
      }
    }
  });

  test("a short token for the catalogue lists, and does to repositories only what else it was asked for", async () => {
    await new Repository(registry, "secret/other").pushImage("v1");
    const listing = "registry:catalog:*";
    const repositories = ["open/app", "secret/app", "secret/other"];
    // podman asks for nothing when it searches.
    for (const scope of [listing, ""]) {
      const token = await fetchToken(scope, basic(ADMIN_TOKEN));
      const catalog = await registry.request("/v2/_catalog", { token });
      expect(await catalog.json()).toEqual({ repositories });
      expect((await registry.request(manifest, { token })).status).toBe(401);
      expect((await secret.send("blobs/uploads/", { method: "POST", token })).status).toBe(401);
    }

    const scope = `${listing} repository:secret/app:pull,push`;
    const both = await fetchToken(scope, basic(ADMIN_TOKEN));
    expect((await registry.request("/v2/_catalog", { token: both })).status).toBe(200);
    expect((await secret.send("blobs/uploads/", { method: "POST", token: both })).status).toBe(202);
    expect((await registry.request("/v2/secret/other/tags/list", { token: both })).status).toBe(
      401,
    );
  });

  test("the catalogue asks who is there, so that nobody takes the public part of it for the whole", async () => {
    const narrow = await fetchToken("repository:secret/app:pull", basic(ADMIN_TOKEN));
    for (const token of [null, narrow]) {
      const response = await registry.request("/v2/_catalog", { token });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain('scope="registry:catalog:*"');
    }
    const anonymous = await fetchToken("registry:catalog:*");
    const response = await registry.request("/v2/_catalog", { token: anonymous });
    expect(await response.json()).toEqual({ repositories: ["open/app"] });
    const whole = await registry.request("/v2/_catalog", {
      token: null,
      headers: basic(ADMIN_TOKEN),
    });
    expect(await whole.json()).toEqual({ repositories: ["open/app", "secret/app"] });
  });

  test("forged and altered short tokens are refused", async () => {
    const token = await fetchToken("repository:secret/app:pull", basic(ADMIN_TOKEN));
    const [prefix = "", body = "", mac = ""] = token.split(".");
    const content = Buffer.from(body, "base64url").toString();
    const forged = Buffer.from(content.replace("secret", "hidden")).toString("base64url");
    for (const text of [
      [prefix, forged, mac].join("."),
      [prefix, body, "A".repeat(43)].join("."),
      "ept.",
      "ept..",
      `ept.${body}`,
    ]) {
      expect((await registry.request(manifest, { token: text })).status).toBe(401);
    }
  });

  test("a mount from a repository that the caller may not read is an ordinary upload", async () => {
    const { digest } = await secret.pushBlob("private bytes");
    const writer = await createToken({ scopes: ["packages:write"], registries: ["open"] });
    const mount = `blobs/uploads/?mount=${digest}&from=secret/app`;
    const response = await open.send(mount, { method: "POST", token: writer });
    expect(response.status).toBe(202);
    expect(await open.status(`blobs/${digest}`)).toBe(404);
  });

  test("a mount with a short token for the target only is told to fetch one for both", async () => {
    const { digest } = await secret.pushBlob("bytes");
    const narrow = await fetchToken("repository:open/app:pull,push", basic(ADMIN_TOKEN));
    const mount = `blobs/uploads/?mount=${digest}&from=secret/app`;
    const refused = await open.send(mount, { method: "POST", token: narrow });
    expect(refused.status).toBe(401);
    const scope = /scope="([^"]*)"/.exec(refused.headers.get("www-authenticate") ?? "")?.[1] ?? "";
    const token = await fetchToken(scope, basic(ADMIN_TOKEN));
    expect((await open.send(mount, { method: "POST", token })).status).toBe(201);
  });
});

test("Registries of other ecosystems say where they are spoken to", async () => {
  await registry.createRegistry({ slug: "files", ecosystem: "generic" });
  const response = await new Repository(registry, "files/app").putManifest("v1", bytesOf("{}"));
  expect(response.status).toBe(405);
  expect((await errorOf(response)).message).toContain("/generic/files/");
});
