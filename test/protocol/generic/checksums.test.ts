import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { genericRegistry, put } from "./builders.ts";

let registry: TestRegistry;
let files = 0;
beforeAll(async () => {
  registry = await openTestRegistry();
  await genericRegistry(registry);
});
afterAll(async () => registry.close());

const BODY = "the bytes";
const hex = (algorithm: string, text = BODY): string =>
  createHash(algorithm).update(text).digest("hex");
const base64 = (algorithm: string, text = BODY): string =>
  createHash(algorithm).update(text).digest("base64");

/** Sends {@link BODY} to a path of its own, and gives the status and whether the file is there afterwards. */
async function send(
  headers: Readonly<Record<string, string>>,
): Promise<readonly [number, boolean]> {
  const path = `/generic/files/checked/1/${++files}`;
  const { status } = await put(registry, path, BODY, headers);
  return [status, (await registry.request(path, { method: "HEAD" })).status === 200];
}

describe("a checksum that is right is accepted", () => {
  test.each([
    ["x-checksum-md5", hex("md5")],
    ["x-checksum-sha1", hex("sha1")],
    ["x-checksum-sha256", hex("sha256")],
    ["x-checksum-sha512", hex("sha512")],
    ["x-checksum-sha256", hex("sha256").toUpperCase()],
    ["content-md5", base64("md5")],
    ["digest", `SHA-256=${base64("sha256")}`],
    ["digest", `sha=${base64("sha1")}, MD5=${base64("md5")},unixsum=30637`],
    ["content-digest", `sha-256=:${base64("sha256")}:`],
    ["content-digest", `sha-512=:${base64("sha512")}:, unknown=:AAAA:`],
    ["repr-digest", `sha-256=:${base64("sha256")}:`],
  ])("%s: %s", async (name, value) => {
    expect(await send({ [name]: value })).toEqual([201, true]);
  });
});

describe("a checksum of other bytes is refused, and nothing is stored", () => {
  test.each([
    ["x-checksum-md5", hex("md5", "other")],
    ["x-checksum-sha1", hex("sha1", "other")],
    ["x-checksum-sha256", hex("sha256", "other")],
    ["x-checksum-sha512", hex("sha512", "other")],
    ["content-md5", base64("md5", "other")],
    ["digest", `SHA-256=${base64("sha256", "other")}`],
    ["content-digest", `sha-512=:${base64("sha512", "other")}:`],
  ])("%s: %s", async (name, value) => {
    expect(await send({ [name]: value })).toEqual([400, false]);
  });
});

describe("a checksum that is none is refused before the bytes are read", () => {
  test.each([
    ["x-checksum-sha256", "abc"],
    ["x-checksum-md5", "z".repeat(32)],
    ["content-md5", "not base64"],
    ["content-md5", base64("sha1")],
    ["digest", "SHA-256"],
    ["digest", `SHA-256=${hex("sha256")}`],
    ["content-digest", `sha-256=${base64("sha256")}`],
    ["content-digest", `sha-256=:${base64("md5")}:`],
  ])("%s: %s", async (name, value) => {
    const response = await put(registry, "/generic/files/checked/1/none", BODY, { [name]: value });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      type: "urn:entrepot:error:invalid-input",
      issues: [{ at: name }],
    });
  });

  test("so are two headers that contradict each other", async () => {
    const headers = {
      "x-checksum-sha256": hex("sha256"),
      digest: `SHA-256=${base64("sha256", "x")}`,
    };
    const response = await put(registry, "/generic/files/checked/1/contradiction", BODY, headers);
    expect(await response.json()).toMatchObject({
      issues: [{ at: "digest", problem: "contradicts another header about the sha256" }],
    });
  });
});

test("a file can be checked by what its download says", async () => {
  await put(registry, "/generic/files/checked/1/whole", BODY);
  const response = await registry.request("/generic/files/checked/1/whole", {
    headers: { range: "bytes=0-2" },
  });
  expect(response.headers.get("repr-digest")).toBe(`sha-256=:${base64("sha256")}:`);
});
