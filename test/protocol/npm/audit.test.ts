import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openNpmRegistry } from "./npm-registry.ts";

const BULK = "/-/npm/v1/security/advisories/bulk";

test("a bulk audit, gzipped as npm sends it or plain, finds nothing", async () => {
  await using npm = await openNpmRegistry();
  const body = { "left-pad": ["1.0.0"], "@acme/pad": ["1.0.0", "2.0.0"] };
  expect(await npm.send(BULK, { method: "POST", body })).toMatchObject({ status: 200, json: {} });
  const zipped = gzipSync(JSON.stringify(body));
  const answer = await npm.send(BULK, {
    method: "POST",
    body: zipped,
    headers: { "content-encoding": "gzip" },
  });
  expect(answer).toMatchObject({ status: 200, json: {} });
});

test("an audit of a lock file finds nothing, in the shape of a report", async () => {
  await using npm = await openNpmRegistry();
  const body = {
    name: "x",
    version: "1.0.0",
    requires: { a: "1" },
    dependencies: { a: { version: "1.0.0" }, b: { version: "1.0.0" } },
  };
  for (const path of ["/-/npm/v1/security/audits", "/-/npm/v1/security/audits/quick"]) {
    expect((await npm.send(path, { method: "POST", body })).json).toEqual({
      actions: [],
      advisories: {},
      muted: [],
      metadata: {
        vulnerabilities: { info: 0, low: 0, moderate: 0, high: 0, critical: 0 },
        dependencies: 2,
        devDependencies: 0,
        optionalDependencies: 0,
        totalDependencies: 2,
      },
    });
  }
});

test("what is no audit request is refused", async () => {
  await using npm = await openNpmRegistry();
  for (const body of ["x", [], { a: "1.0.0" }, { a: [1] }]) {
    expect((await npm.send(BULK, { method: "POST", body })).status).toBe(400);
  }
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const answer = await npm.send(BULK, {
    method: "POST",
    body: bomb,
    headers: { "content-encoding": "gzip" },
  });
  expect(answer.status).toBe(413);
  const broken = await npm.send(BULK, {
    method: "POST",
    body: Buffer.from("xx"),
    headers: { "content-encoding": "gzip" },
  });
  expect(broken.status).toBe(400);
});
