import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Cli } from "../../support/cli.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

let server: TestServer;
let admin: Cli;

beforeAll(async () => {
  server = await startServer();
  for (const slug of ["libs", "legacy"]) await server.createRegistry({ slug, ecosystem: "npm" });
});
afterAll(() => server.stop());
beforeEach(async () => {
  const folder = await temporaryFolder("cli-upstreams");
  onTestFinished(() => folder[Symbol.asyncDispose]());
  admin = Cli.of(server, folder.path, server.url);
});

const SECRET = "s3cret-word";
const URL_OF_CORP = "https://npm.corp.example/r";

describe("upstream", () => {
  test("create, show, list, update and delete work one after the other", async () => {
    const create = ["upstream", "create", "corp", URL_OF_CORP, "--ecosystem", "npm"];
    const flags = [
      "--auth",
      "basic",
      "--username",
      "reader",
      "--secret-stdin",
      "--timeout-ms",
      "500",
    ];
    const made = await admin.json([...create, ...flags], { input: `${SECRET}\n` });
    expect(made).toMatchObject({
      key: "corp",
      url: URL_OF_CORP,
      auth: { kind: "basic", username: "reader" },
      hasSecret: true,
      timeoutMs: 500,
    });
    const shown = await admin.run(["upstream", "show", "corp"]);
    expect(shown.stdout).toMatch(/Auth: +basic, username reader/);
    expect(JSON.stringify([made, shown])).not.toContain(SECRET);
    expect((await admin.run(["upstream", "list"])).stdout).toMatch(
      /corp +npm +basic +asked +https/,
    );
    const update = ["upstream", "update", "corp", "--offline", "--exclude", "@corp/*,left-*"];
    expect(await admin.json(update)).toMatchObject({
      offline: true,
      exclude: ["@corp/*", "left-*"],
    });
    expect(
      await admin.json(["upstream", "update", "corp", "--no-offline", "--exclude", ""]),
    ).toMatchObject({ offline: false, exclude: [], hasSecret: true });
    const nothing = await admin.run(["upstream", "update", "corp"]);
    expect(nothing).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Nothing to change[^]*See: entrepot upstream update --help/),
    });
    expect((await admin.run(["upstream", "delete", "corp"])).stdout).toContain("Deleted corp.");
    expect((await admin.run(["upstream", "show", "corp"])).code).toBe(4);
  });

  test("takes a secret from the environment, and none from a flag", async () => {
    const env = { ENTREPOT_UPSTREAM_SECRET: SECRET };
    const create = ["upstream", "create", "token", URL_OF_CORP, "--ecosystem", "npm"];
    const none = await admin.run([...create, "--auth", "bearer"]);
    expect([none.code, none.stderr]).toMatchObject([2, expect.stringContaining("--secret-stdin")]);
    expect((await admin.run([...create, "--auth", "bearer", "--secret", SECRET])).code).toBe(2);
    expect(await admin.json([...create, "--auth", "bearer"], { env })).toMatchObject({
      hasSecret: true,
    });
    const moved = ["upstream", "update", "token", "--to", "https://other.example"];
    expect((await admin.run(moved, { env })).code).toBe(1);
    expect(await admin.json([...moved, "--secret"], { env })).toMatchObject({
      url: "https://other.example",
    });
    expect(await admin.json(["upstream", "update", "token", "--auth", "none"])).toMatchObject({
      hasSecret: false,
    });
  });
});

describe("registry", () => {
  test("create, show and update know proxies", async () => {
    const create = ["registry", "create", "central", "--ecosystem", "maven", "--kind", "proxy"];
    const made = await admin.run([
      ...create,
      "--upstream",
      "maven-central",
      "--minimum-age-days",
      "3",
    ]);
    expect([made.code, made.stdout]).toMatchObject([
      0,
      expect.stringContaining("Created the private maven proxy central."),
    ]);
    const { stdout } = await admin.run(["registry", "show", "central"]);
    expect(stdout).toMatch(/Upstream: +maven-central\n/);
    expect(stdout).toMatch(/Minimum age: +3 days\n/);
    expect((await admin.run([...create, "--upstream", "a,b"])).code).toBe(2);
    expect((await admin.run(["registry", "list"])).stdout).toMatch(
      /central +maven +proxy +private +maven-central/,
    );
  });

  test("create, show and update know composites", async () => {
    const create = ["registry", "create", "team", "--ecosystem", "npm", "--kind", "composite"];
    const from = [
      "--upstream",
      "libs",
      "--upstream",
      "legacy",
      "--official",
      "--publish-to",
      "libs",
    ];
    const rule = ["--rule", "@acme/*, publish=block,external=block", "--minimum-age-days", "7"];
    expect(
      await admin.json([...create, ...from, ...rule, "--minimum-age-exempt", "@acme/*"]),
    ).toMatchObject({
      upstreams: ["libs", "legacy"],
      official: true,
      officialRegistry: "npmjs",
      publishTo: "libs",
      packageRules: [{ pattern: "@acme/*", publish: "block", external: "block" }],
      minimumAgeDays: 7,
      minimumAgeExempt: ["@acme/*"],
    });
    const { stdout } = await admin.run(["registry", "show", "team"]);
    for (const line of [
      /Upstreams: +libs, legacy\n/,
      /Official: +yes, through npmjs\n/,
      /Publishes to: +libs\n/,
      /Rules: +@acme\/\*,publish=block,external=block\n/,
    ]) {
      expect(stdout).toMatch(line);
    }
    const update = ["registry", "update", "team", "--upstream", "legacy,libs", "--no-official"];
    expect(await admin.json([...update, "--publish-to", "", "--rule", ""])).toMatchObject({
      upstreams: ["legacy", "libs"],
      official: false,
      packageRules: [],
      minimumAgeDays: 7,
    });
    expect((await admin.run(["registry", "delete", "libs", "--confirm", "libs"])).code).toBe(5);
  });

  test.each([
    "",
    ",publish=block",
    "*,publish",
    "*,publish=maybe",
    "*",
    "*,publish=block,publish=allow",
  ])("does not take '%s' for a rule to try", async (rule) => {
    const { code } = await admin.run(["registry", "rules", "libs", "--rule", rule, "--dry-run"]);
    expect(code).toBe(rule === "" ? 0 : 2);
  });

  test("routes and rules tell who is asked, and what would change", async () => {
    const create = ["registry", "create", "routed", "--ecosystem", "npm", "--kind", "composite"];
    await admin.json([...create, "--upstream", "libs", "--official"]);
    const { stdout } = await admin.run(["registry", "routes", "routed", "@acme/core"]);
    expect(stdout).toMatch(/libs +source +yes\n/);
    expect(stdout).toMatch(/npmjs +proxy +npmjs +yes\n/);
    const rules = ["registry", "rules", "routed"];
    expect((await admin.run(rules)).stdout).toContain("no rules");
    const rule = ["--rule", "*,external=block"];
    const dry = await admin.run([...rules, ...rule, "--dry-run"]);
    expect([dry.code, dry.stdout]).toMatchObject([0, expect.stringContaining("No package")]);
    expect((await admin.run(rules)).stdout).toContain("no rules");
    expect((await admin.run([...rules, "--dry-run"])).code).toBe(2);
    expect((await admin.run([...rules, ...rule])).stdout).toContain("*,external=block");
    const after = await admin.run(["registry", "routes", "routed", "@acme/core"]);
    expect(after.stdout).toMatch(/npmjs +proxy +npmjs +no +a rule keeps/);
  });
});

test("setup says where nothing can be published", async () => {
  const create = ["registry", "create", "reading", "--ecosystem", "npm", "--kind", "composite"];
  await admin.json([...create, "--upstream", "libs"]);
  const setup = await admin.run(["setup", "reading", "npm"]);
  expect(setup.stdout).toContain(`registry=${server.url}/npm/reading/`);
  expect(setup.stderr).toContain("takes no packages");
  await admin.json(["registry", "update", "reading", "--publish-to", "libs"]);
  expect((await admin.run(["setup", "reading", "npm"])).stderr).not.toContain("takes no packages");
});

test("completion knows the commands and flags", async () => {
  const { stdout } = await admin.run(["completion", "bash"]);
  expect(stdout).toMatch(/"upstream"\) words="create list show update delete/);
  expect(stdout).toContain("--publish-to");
});
