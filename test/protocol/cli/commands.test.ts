import { readFile, stat } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Cli } from "../../support/cli.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

let server: TestServer;
/** Without a login. */
let stranger: Cli;
let admin: Cli;

beforeAll(async () => {
  server = await startServer();
  await server.createRegistry({ slug: "builds", ecosystem: "generic", description: "Nightly" });
  await server.createRegistry({ slug: "my-npm", ecosystem: "npm" });
});
afterAll(() => server.stop());
beforeEach(async () => {
  const folder = await temporaryFolder("cli-commands");
  onTestFinished(() => folder[Symbol.asyncDispose]());
  stranger = new Cli(folder.path);
  admin = Cli.of(server, folder.path, server.url);
});

async function publish(path: string): Promise<void> {
  const response = await fetch(`${server.url}/generic/builds/${path}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${server.adminToken}` },
    body: "hello",
  });
  expect(response.status).toBe(201);
}

describe("login", () => {
  const login = (token: string) =>
    stranger.run(["login", server.url, "--token-stdin"], { input: `${token}\n` });

  test("saves a token that works, for its owner only, and never shows it", async () => {
    const { code, stdout, stderr } = await login(server.adminToken);
    expect(code).toBe(0);
    expect(stdout).toContain(`Logged in to ${server.url} as admin.`);
    expect(stdout + stderr).not.toContain(server.adminToken);
    expect((await stat(stranger.configFile)).mode & 0o777).toBe(0o600);
    const who = await stranger.run(["whoami"]);
    expect(who.stdout).toMatch(/Owner: +admin/);
    expect(who.stdout).not.toContain(server.adminToken);
  });

  test("saves no token that does not work", async () => {
    const { code, stderr } = await login("wrong-token");
    expect(code).toBe(3);
    expect(stderr).not.toContain("wrong-token");
    await expect(stat(stranger.configFile)).rejects.toThrow("ENOENT");
  });

  test("needs --token-stdin where nobody can be asked", async () => {
    const { code, stderr } = await stranger.run(["login", server.url]);
    expect(code).toBe(2);
    expect(stderr).toContain("--token-stdin");
  });

  test("is forgotten by logout", async () => {
    await login(server.adminToken);
    expect((await stranger.run(["logout"])).stdout).toContain(`Logged out of ${server.url}.`);
    expect(await readFile(stranger.configFile, "utf8")).not.toContain(server.adminToken);
    expect((await stranger.run(["whoami", "--url", server.url])).code).toBe(3);
  });
});

describe("registry", () => {
  test("create, show, update, list and delete work one after the other", async () => {
    const args = ["--ecosystem", "generic", "--label", "a,b", "--restore-days", "3"];
    expect(await admin.json(["registry", "create", "fresh", ...args])).toMatchObject({
      slug: "fresh",
      visibility: "private",
      labels: ["a", "b"],
      policies: { restoreDays: 3, mutableFiles: false },
    });
    const update = ["registry", "update", "fresh", "--visibility", "public", "--mutable-files"];
    expect(await admin.json(update)).toMatchObject({
      visibility: "public",
      labels: ["a", "b"],
      policies: { restoreDays: 3, mutableFiles: true },
    });
    expect((await admin.run(["registry", "show", "fresh"])).stdout).toMatch(/Restore days: +3/);
    expect((await admin.run(["registry", "list"])).stdout).toMatch(
      /^SLUG +ECOSYSTEM .*\nbuilds +generic +source +private +Nightly\nfresh +generic/,
    );
    expect((await admin.run(["registry", "delete", "fresh", "--confirm", "fresh"])).code).toBe(0);
    expect((await admin.run(["registry", "show", "fresh"])).code).toBe(4);
  });

  test("show tells which tags do not move", async () => {
    const fixed = ["--ecosystem", "oci", "--immutable-tags", "--mutable-tag", "latest,nightly-*"];
    expect((await admin.run(["registry", "create", "fixed", ...fixed])).code).toBe(0);
    const show = async (): Promise<string> =>
      (await admin.run(["registry", "show", "fixed"])).stdout;
    expect(await show()).toMatch(/Immutable tags: +all but latest, nightly-\*\n/);
    await admin.run(["registry", "update", "fixed", "--mutable-tag", ""]);
    expect(await show()).toMatch(/Immutable tags: +all\n/);
    await admin.run(["registry", "update", "fixed", "--no-immutable-tags"]);
    expect(await show()).toMatch(/Immutable tags: +none\n/);
    expect((await admin.run(["registry", "delete", "fixed", "--confirm", "fixed"])).code).toBe(0);
  });

  test("delete wants the slug, typed once more", async () => {
    for (const confirm of [[], ["--confirm", "Builds"]]) {
      const { code } = await admin.run(["registry", "delete", "builds", ...confirm]);
      expect(code).toBe(2);
    }
    expect((await admin.run(["registry", "show", "builds"])).code).toBe(0);
  });

  test("list goes on where --limit ended it", async () => {
    const first = await admin.json(["registry", "list", "--limit", "1"]);
    expect(first).toMatchObject({ items: [{ slug: "builds" }], nextCursor: expect.any(String) });
    expect(await admin.json(["registry", "list", "--all"])).toEqual({
      items: [
        expect.objectContaining({ slug: "builds" }),
        expect.objectContaining({ slug: "my-npm" }),
      ],
    });
  });

  test.each([
    ["exists already", ["create", "builds", "--ecosystem", "generic"], 5],
    ["has an unknown ecosystem", ["create", "x", "--ecosystem", "cobol"], 2],
    ["has a slug that is none", ["create", "Not A Slug", "--ecosystem", "npm"], 1],
    ["is changed in nothing", ["update", "builds"], 2],
    ["is changed to a number that is none", ["update", "builds", "--restore-days", "x"], 2],
    ["is not there", ["show", "nope"], 4],
  ])("is refused when it %s", async (_why, args, code) => {
    const result = await admin.run(["registry", ...args]);
    expect(result.stderr).toMatch(/^error: |^Error: /);
    expect(result.code).toBe(code);
    expect(result.stdout).toBe("");
  });
});

describe("token", () => {
  test("create prints the text once, alone, and list never", async () => {
    const args = ["--description", "ci", "--scope", "packages:write,packages:read", "--registry"];
    const created = await admin.run(["token", "create", ...args, "builds", "--expires", "90d"]);
    expect(created.code).toBe(0);
    expect(created.stdout).toMatch(/^ep_\S+\n$/);
    const token = created.stdout.trim();
    const who = await admin.json(["whoami"], { env: { ENTREPOT_TOKEN: token } });
    expect(who).toMatchObject({
      scopes: ["packages:read", "packages:write"],
      registries: ["builds"],
    });
    const listed = await admin.run(["token", "list"]);
    expect(listed.stdout).toContain("ci");
    expect(listed.stdout).not.toContain(token);
    expect((await admin.run(["token", "list", "--json"])).stdout).not.toContain(token);
  });

  test("revoke ends it at once", async () => {
    const args = ["token", "create", "--description", "x", "--scope", "packages:read", "--json"];
    const { id, token } = JSON.parse((await admin.run(args)).stdout);
    expect((await admin.run(["token", "revoke", id])).code).toBe(0);
    expect((await admin.run(["whoami"], { env: { ENTREPOT_TOKEN: token } })).code).toBe(3);
    expect((await admin.run(["token", "revoke", id])).code).toBe(4);
  });

  test("revoke refuses a token's text, which would end up in logs", async () => {
    const { code, stderr } = await admin.run(["token", "revoke", "ep_at_abc_secret"]);
    expect(code).toBe(2);
    expect(stderr).not.toContain("secret");
  });
});

describe("package", () => {
  test("delete, show --deleted and restore belong together", async () => {
    await publish("app/1.0.0/a.txt");
    await publish("app/2.0.0/a.txt");
    expect((await admin.run(["package", "delete", "builds", "app@1.0.0"])).code).toBe(2);
    expect((await admin.run(["package", "delete", "builds", "app@1.0.0", "--yes"])).code).toBe(0);
    const shown = await admin.json(["package", "show", "builds", "app"]);
    expect(shown).toMatchObject({
      latestVersion: "2.0.0",
      versions: { items: [{ version: "2.0.0" }] },
    });
    const deleted = await admin.json(["package", "show", "builds", "app", "--deleted"]);
    expect(deleted).toMatchObject({
      versions: { items: [{ version: "1.0.0", state: "deleted" }] },
    });
    expect((await admin.run(["package", "restore", "builds", "app@1.0.0"])).code).toBe(0);
    expect(await admin.json(["package", "show", "builds", "app@1.0.0"])).toMatchObject({
      state: "published",
      files: { items: [{ path: "a.txt" }] },
    });
  });

  test("deprecate warns, and --undo takes it back", async () => {
    await publish("old/1.0.0/a.txt");
    await admin.json(["package", "deprecate", "builds", "old@1.0.0", "Use new"]);
    expect((await admin.run(["package", "show", "builds", "old"])).stdout).toContain("Use new");
    await admin.json(["package", "deprecate", "builds", "old@1.0.0", "--undo"]);
    expect((await admin.run(["package", "show", "builds", "old"])).stdout).not.toContain("Use new");
  });

  test("list finds by prefix and by words", async () => {
    await publish("tool-a/1.0.0/a.txt");
    await publish("tool-b/1.0.0/a.txt");
    const named = await admin.json(["package", "list", "builds", "--prefix", "tool-"]);
    expect(named).toMatchObject({ items: [{ name: "tool-a" }, { name: "tool-b" }] });
    const found = await admin.run(["package", "list", "builds", "--search", "tool-b"]);
    expect(found.stdout).toContain("tool-b");
  });
});

describe("audit and gc", () => {
  test("audit tells who did what, newest first", async () => {
    await publish("audited/1.0.0/a.txt");
    const args = ["audit", "--registry", "builds", "--package", "audited", "--from", "1h"];
    expect(await admin.json(args)).toMatchObject({
      items: [{ actor: "admin", package: "audited", version: "1.0.0" }],
    });
    expect((await admin.run(["audit", "--from", "soon"])).code).toBe(2);
    expect((await admin.run(["audit", "--registry", "builds"])).code).toBe(2);
  });

  test("gc runs every task, or the one that is named", async () => {
    expect(Object.keys(Object(await admin.json(["gc"])))).toEqual([
      "sweep-uploads",
      "reclaim",
      "collect-garbage",
    ]);
    expect(await admin.json(["gc", "reclaim"])).toEqual({ reclaim: { versions: 0, packages: 0 } });
  });
});

describe("setup", () => {
  test("lists the clients of the registry's ecosystem", async () => {
    const { clients } = Object(await admin.json(["setup", "my-npm"]));
    expect(clients.map(({ name }: { readonly name: string }) => name)).toEqual([
      "npm",
      "pnpm",
      "yarn",
      "yarn-berry",
      "bun",
    ]);
  });

  test("prints configuration with the server's URL and no token", async () => {
    const host = server.url.replace("http:", "");
    const { stdout } = await admin.run(["setup", "my-npm", "npm"]);
    expect(stdout).toContain(`\nregistry=${server.url}/npm/my-npm/\n`);
    expect(stdout).toContain(`\n${host}/npm/my-npm/:_authToken=\${ENTREPOT_TOKEN}\n`);
    expect(stdout).not.toContain(server.adminToken);
  });

  test("writes the token only when told to", async () => {
    const { stdout } = await admin.run(["setup", "builds", "curl", "--with-token"]);
    expect(stdout).toContain(`Bearer ${server.adminToken}`);
  });

  test("names the clients there are when another is wanted", async () => {
    const { code, stderr } = await admin.run(["setup", "builds", "npm"]);
    expect(code).toBe(2);
    expect(stderr).toContain("curl, wget, entrepot");
  });
});

describe("every command", () => {
  test("tells failures as JSON too, on standard error only", async () => {
    const { code, stdout, stderr } = await admin.run(["registry", "show", "nope", "--json"]);
    expect(code).toBe(4);
    expect(stdout).toBe("");
    expect(JSON.parse(stderr)).toMatchObject({
      error: { message: expect.stringContaining("nope"), exitCode: 4, status: 404 },
    });
  });

  test.each([
    ["a missing argument", ["registry", "show"], "missing required argument 'slug'"],
    ["a missing option", ["registry", "create", "x"], "required option '--ecosystem"],
    [
      "an unknown option",
      ["registry", "list", "--al"],
      "unknown option '--al'\n(Did you mean --all?)",
    ],
    ["an unknown command", ["registry", "lst"], "unknown command 'lst'"],
  ])("tells %s as JSON as well", async (_what, args, words) => {
    const { code, stdout, stderr } = await stranger.run([...args, "--json"]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(JSON.parse(stderr)).toEqual({
      error: {
        message: expect.stringContaining(words),
        hint: expect.stringContaining("--help"),
        exitCode: 2,
      },
    });
  });

  test("says what is meant when it is misspelt", async () => {
    const { code, stderr } = await stranger.run(["registri"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean registry?");
  });

  test("names ways to a server when none is known", async () => {
    const { code, stderr } = await stranger.run(["registry", "list"]);
    expect(code).toBe(2);
    expect(stderr).toContain("entrepot login <url>");
  });

  test("does not take another server for one of ours", async () => {
    const { code, stderr } = await stranger.run([
      "registry",
      "list",
      "--url",
      `${server.url}/metrics`,
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^Error: /);
  });
});
