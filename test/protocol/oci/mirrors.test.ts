import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { type MisbehavingUpstream, startUpstream } from "../../support/misbehaving-upstream.ts";
import { ADMIN_TOKEN, openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { createProxy } from "../../support/upstreams.ts";
import { serveImage, upstreamImage } from "./upstream-images.ts";

let upstream: MisbehavingUpstream;
let registry: TestRegistry;

beforeEach(async () => {
  upstream = await startUpstream();
  registry = await openTestRegistry();
});
afterEach(async () => {
  await registry.close();
  await upstream.close();
});

const proxyAt = (path: string): Promise<void> =>
  createProxy(registry, { slug: "hub", ecosystem: "oci", url: upstream.url + path });

describe("a mirror of containerd", () => {
  test("is the registry of its path, with a token for the name as containerd knows it too", async () => {
    await proxyAt("");
    serveImage(upstream, "library/alpine", "3", upstreamImage());
    const path = "/v2/hub/library/alpine/manifests/3?ns=docker.io";
    const refused = await registry.request(path, { token: null });
    expect(refused.headers.get("www-authenticate")).toContain("repository:hub/library/alpine:pull");
    const scopes = ["repository:library/alpine:pull", "repository:hub/library/alpine:pull"];
    const query = new URLSearchParams();
    for (const scope of scopes) query.append("scope", scope);
    const basic = Buffer.from(`any:${ADMIN_TOKEN}`).toString("base64");
    const answer = await registry.request(`/v2/_token?${query.toString()}`, {
      headers: { authorization: `Basic ${basic}` },
    });
    const { token } = z.object({ token: z.string() }).parse(await answer.json());
    expect((await registry.request(path, { token })).status).toBe(200);
  });
});

describe("the URL of an upstream", () => {
  test.each([
    ["", "/v2/team/app"],
    ["/images", "/v2/images/team/app"],
    ["/v2", "/v2/team/app"],
    ["/v2/images", "/v2/images/team/app"],
    ["/api/docker/local/v2", "/api/docker/local/v2/team/app"],
  ])("with the path %j has an image at %s", async (path, repository) => {
    await proxyAt(path);
    await registry.request("/v2/hub/team/app/manifests/1");
    expect(upstream.received.map((one) => one.path)).toEqual([`${repository}/manifests/1`]);
  });
});
