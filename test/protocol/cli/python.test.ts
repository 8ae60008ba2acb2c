import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { Cli } from "../../support/cli.ts";
import { buildWheel, uploadForm } from "../../support/python-package.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const DEMO = { name: "demo", version: "1.0" } as const;
const WHEEL = "demo-1.0-py3-none-any.whl";
const WINDOWS = "demo-1.0-cp312-cp312-win32.whl";

let server: TestServer;
let admin: Cli;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  const folder = await temporaryFolder("cli-python");
  onTestFinished(() => folder[Symbol.asyncDispose]());
  admin = Cli.of(server, folder.path, server.url);
});

/** A registry of its own with a release of two wheels. */
async function publishDemo(slug: string): Promise<void> {
  await server.createRegistry({ slug, ecosystem: "pypi" });
  for (const tags of ["py3-none-any", "cp312-cp312-win32"]) {
    const response = await fetch(`${server.url}/pypi/${slug}/`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.adminToken}` },
      body: uploadForm(DEMO, buildWheel(DEMO, tags)),
    });
    expect(response.status).toBe(200);
  }
}

async function page(slug: string): Promise<string> {
  const headers = { authorization: `Bearer ${server.adminToken}` };
  return (await fetch(`${server.url}/pypi/${slug}/simple/demo/`, { headers })).text();
}

test("yank takes back a release or a file of it, and --undo brings it back", async () => {
  await publishDemo("yanks");
  const yank = ["package", "yank", "yanks", "demo@1.0"];
  expect((await admin.run([...yank, "crashes", "--file", WINDOWS])).stdout).toContain(WINDOWS);
  expect((await page("yanks")).match(/data-yanked/g)).toHaveLength(1);
  await admin.json([...yank, "all of it"]);
  expect((await page("yanks")).match(/data-yanked="all of it"/g)).toHaveLength(2);
  await admin.json([...yank, "--undo"]);
  await admin.json([...yank, "--undo", "--file", WINDOWS]);
  expect(await page("yanks")).not.toContain("data-yanked");
});

test("delete --file deletes one file, after asking", async () => {
  await publishDemo("deletions");
  const args = ["package", "delete", "deletions", "demo@1.0", "--file", WINDOWS];
  expect((await admin.run(args)).stderr).toContain(`${WINDOWS} of demo@1.0`);
  expect(await page("deletions")).toContain(WINDOWS);
  await admin.json([...args, "--yes"]);
  expect(await page("deletions")).not.toContain(WINDOWS);
  expect(await page("deletions")).toContain(WHEEL);
  const whole = ["package", "delete", "deletions", "demo", "--file", WHEEL, "--yes"];
  expect((await admin.run(whole)).code).toBe(2);
});

test("status archives a project, and package show tells of it", async () => {
  await publishDemo("statuses");
  const status = ["package", "status", "statuses", "demo"];
  expect((await admin.run([...status, "gone"])).code).toBe(2);
  expect(await admin.json([...status, "archived", "use demo2"])).toMatchObject({
    status: "archived",
    statusReason: "use demo2",
  });
  expect((await admin.run(["package", "show", "statuses", "demo"])).stdout).toMatch(
    /Status: +archived: use demo2/,
  );
  expect((await admin.run([...status, "active"])).stdout).toContain("is active");
});
