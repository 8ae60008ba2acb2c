import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ClientHome,
  type NpmClient,
  npmClientPath,
  openClientHome,
} from "../support/npm-clients.ts";
import { describeWhen } from "../support/programs.ts";
import { startServer, type TestServer } from "../support/server.ts";

/**
 * Loaded into npm with --require. `npm audit signatures` first looks for a registry's keys in Sigstore's own
 * repository on the internet, where only npmjs.org has any; for every other registry the answer is this one, after
 * which npm asks the registry. Tests do without the internet.
 */
const WITHOUT_SIGSTORE = `
const Module = require("node:module");
const load = Module._load;
Module._load = function (id, ...rest) {
  if (id !== "@sigstore/tuf") return load.call(this, id, ...rest);
  const getTarget = async () => {
    throw Object.assign(new Error("no such target"), { code: "TUF_FIND_TARGET_ERROR" });
  };
  return { initTUF: async () => ({ getTarget }) };
};
`;

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  for (const slug of ["npm-10", "npm-11", "pnpm-10", "yarn-1", "yarn-4", "bun"]) {
    await server.createRegistry({ slug, ecosystem: "npm", kind: "source", visibility: "private" });
  }
});

afterAll(async () => server?.stop());

const registryUrl = (client: NpmClient): string => `${server.url}/npm/${client}/`;

/** A home that is logged in with the admin token, as a CI job is. */
async function loggedIn(client: NpmClient, program: string): Promise<ClientHome> {
  const home = await openClientHome(program);
  const registry = registryUrl(client);
  await home.write(
    ".npmrc",
    `registry=${registry}\n//${registry.replace(/^https?:\/\//, "")}:_authToken=${server.adminToken}\n`,
  );
  await home.write(
    ".yarnrc.yml",
    [
      `npmRegistryServer: "${registry}"`,
      `npmAuthToken: "${server.adminToken}"`,
      'unsafeHttpWhitelist: ["127.0.0.1"]',
      "enableTelemetry: false",
      "nodeLinker: node-modules",
      "enableGlobalCache: false",
      // Yarn holds back what was published less than a day ago.
      "npmMinimalAgeGate: 0",
      "",
    ].join("\n"),
  );
  return home;
}

/** A package in the folder `package` of a home, with a command that prints its version. */
async function writePackage(home: ClientHome, name: string, version: string): Promise<void> {
  const short = name.replace(/^.*\//, "");
  await home.write(
    "package/package.json",
    JSON.stringify({
      name,
      version,
      description: `A test of ${short}`,
      license: "MIT",
      keywords: ["alpha", "beta"],
      bin: { [short]: "./cli.js" },
      repository: { type: "git", url: "git+https://git.example/test.git" },
    }),
  );
  await home.write("package/cli.js", `#!/usr/bin/env node\nconsole.log("${name} ${version}");\n`);
  await home.write("package/README.md", `# ${name}\n`);
  await home.write("package/yarn.lock", "");
}

async function writeProject(
  home: ClientHome,
  dependencies: Record<string, string> = {},
): Promise<void> {
  await home.write(
    "project/package.json",
    JSON.stringify({
      name: "project",
      version: "1.0.0",
      license: "MIT",
      private: true,
      dependencies,
    }),
  );
}

const inPackage = { folder: "package" };
const inProject = { folder: "project" };

for (const client of ["npm-10", "npm-11"] as const) {
  describeWhen(npmClientPath(client), client, client, (program) => {
    test("logs in with a token as the password, and out again", async () => {
      await using home = await openClientHome(program);
      const registry = ["--registry", registryUrl(client)];
      await home.ok(["login", "--auth-type=legacy", ...registry], {
        answers: [
          [/Username:/, "ann"],
          [/Password:/, server.adminToken],
        ],
      });
      const npmrc = await home.read(".npmrc");
      const token = /_authToken=(\S+)/.exec(npmrc)?.[1] ?? "";
      expect(token).toMatch(/^ep_st_/);
      expect(await home.ok(["whoami", ...registry])).toContain("admin");
      await home.ok(["logout", ...registry]);
      const answer = await fetch(`${registryUrl(client)}-/whoami`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.status).toBe(401);
    });

    test("logs in through the browser", async () => {
      await using home = await openClientHome(program);
      const registry = ["--registry", registryUrl(client)];
      let granted: Promise<Response> | undefined;
      await home.ok(["login", "--auth-type=web", ...registry], {
        watch: (output) => {
          const url = /http:\S+\/v1\/login\/\S+/.exec(output)?.[0];
          if (url === undefined) return;
          granted ??= fetch(url, {
            method: "POST",
            body: new URLSearchParams({ token: server.adminToken }),
          });
        },
      });
      expect((await granted)?.status).toBe(200);
      expect(await home.ok(["whoami", ...registry])).toContain("admin");
    });

    test("is told in words when its token is wrong", async () => {
      await using home = await loggedIn(client, program);
      await home.write(".npmrc", (await home.read(".npmrc")).replace(server.adminToken, "wrong"));
      const { code, output } = await home.run(["whoami"]);
      expect(code).not.toBe(0);
      expect(output).toMatch(/E401/);
    });

    test("publishes, refuses to publish twice, and tags", async () => {
      await using home = await loggedIn(client, program);
      await home.ok(["ping"]);
      await writePackage(home, "@acme/tagged", "1.0.0");
      expect(await home.ok(["publish", "--access", "public"], inPackage)).toContain(
        "+ @acme/tagged@1.0.0",
      );
      const again = await home.run(["publish", "--force"], inPackage);
      expect(again.code).not.toBe(0);
      expect(again.output).toContain(
        "You cannot publish over the previously published versions: 1.0.0.",
      );
      await writePackage(home, "@acme/tagged", "2.0.0-beta.1");
      await home.ok(["publish", "--tag", "beta"], inPackage);
      await home.ok(["dist-tag", "add", "@acme/tagged@1.0.0", "stable"]);
      const tags = await home.ok(["dist-tag", "ls", "@acme/tagged"]);
      expect(tags.trim().split("\n").sort()).toEqual([
        "beta: 2.0.0-beta.1",
        "latest: 1.0.0",
        "stable: 1.0.0",
      ]);
      await home.ok(["dist-tag", "rm", "@acme/tagged", "stable"]);
      expect(await home.ok(["view", "@acme/tagged", "dist-tags", "--json"])).not.toContain(
        "stable",
      );
    });

    test("deprecates, and takes it back", async () => {
      await using home = await loggedIn(client, program);
      await writePackage(home, "@acme/old", "1.0.0");
      await home.ok(["publish"], inPackage);
      await home.ok(["deprecate", "@acme/old@1.0.0", "use another"]);
      expect(await home.ok(["view", "@acme/old", "deprecated"])).toContain("use another");
      await writeProject(home);
      expect(await home.ok(["install", "@acme/old"], inProject)).toContain("use another");
      await home.ok(["deprecate", "@acme/old@1.0.0", ""]);
      expect((await home.ok(["view", "@acme/old", "deprecated"])).trim()).toBe("");
    });

    test("installs, from a lock file too, audits, and verifies signatures", async () => {
      await using home = await loggedIn(client, program);
      await writePackage(home, "@acme/used", "1.0.0");
      await home.ok(["publish"], inPackage);
      await writeProject(home);
      await home.ok(["install", "@acme/used"], inProject);
      expect(await home.ok(["exec", "used"], inProject)).toContain("@acme/used 1.0.0");
      await home.ok(["ci"], inProject);
      expect(await home.ok(["audit"], inProject)).toContain("found 0 vulnerabilities");
      await home.write("without-sigstore.cjs", WITHOUT_SIGSTORE);
      const signatures = await home.ok(["audit", "signatures"], {
        ...inProject,
        env: { NODE_OPTIONS: `--require ${join(home.path, "without-sigstore.cjs")}` },
      });
      expect(signatures).toContain("1 package has a verified registry signature");
    });

    test("shows, searches, and knows who may do what", async () => {
      await using home = await loggedIn(client, program);
      await writePackage(home, "@acme/shown", "1.0.0");
      await home.ok(["publish"], inPackage);
      expect(await home.ok(["view", "@acme/shown"])).toContain("A test of shown");
      expect(await home.ok(["search", "shown"])).toContain("@acme/shown");
      expect(await home.ok(["owner", "ls", "@acme/shown"])).toContain("admin");
      expect(await home.ok(["access", "get", "status", "@acme/shown"])).toContain(
        "@acme/shown: private",
      );
      expect(await home.ok(["access", "list", "packages"])).toContain("@acme/shown: read-write");
      expect(await home.ok(["access", "list", "collaborators", "@acme/shown"])).toContain(
        "admin: read-write",
      );
      expect(await home.ok(["profile", "get"])).toContain("admin");
      const owner = await home.run(["owner", "add", "bob", "@acme/shown"]);
      expect(owner.code).not.toBe(0);
      expect(owner.output).toContain("package patterns of tokens");
    });

    test("creates, lists and revokes tokens", async () => {
      await using home = await loggedIn(client, program);
      const created = await home.ok(["token", "create", "--json"], {
        answers: [[/password:/i, "any"]],
      });
      const token = /ep_at_\w+/.exec(created)?.[0] ?? "";
      const key = token.split("_")[2] ?? "";
      expect(await home.ok(["token", "list", "--json"])).toContain(key);
      expect(await home.ok(["token", "revoke", key])).toContain("Removed 1 token");
      const answer = await fetch(`${registryUrl(client)}-/whoami`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.status).toBe(401);
    });

    test("unpublishes a version, then the package", async () => {
      await using home = await loggedIn(client, program);
      for (const version of ["1.0.0", "1.1.0"]) {
        await writePackage(home, "@acme/gone", version);
        await home.ok(["publish"], inPackage);
      }
      await home.ok(["unpublish", "@acme/gone@1.1.0"]);
      expect(JSON.parse(await home.ok(["view", "@acme/gone", "--json"]))).toMatchObject({
        versions: expect.toSatisfy(
          (versions: unknown) => JSON.stringify([versions].flat()) === '["1.0.0"]',
        ),
        "dist-tags": { latest: "1.0.0" },
      });
      await home.ok(["unpublish", "@acme/gone", "--force"]);
      const { code, output } = await home.run(["view", "@acme/gone"]);
      expect(code).not.toBe(0);
      expect(output).toContain("E404");
    });
  });
}

describeWhen(npmClientPath("pnpm-10"), "pnpm-10", "pnpm 10", (program) => {
  test("publishes, installs, audits and knows its user", async () => {
    await using home = await loggedIn("pnpm-10", program);
    await writePackage(home, "@acme/by-pnpm", "1.0.0");
    await home.ok(["publish", "--no-git-checks"], inPackage);
    expect((await home.run(["publish", "--no-git-checks", "--force"], inPackage)).output).toContain(
      "previously published",
    );
    expect(await home.ok(["view", "@acme/by-pnpm", "version"])).toContain("1.0.0");
    await writeProject(home);
    await home.ok(["add", "@acme/by-pnpm"], inProject);
    expect(await home.ok(["exec", "by-pnpm"], inProject)).toContain("@acme/by-pnpm 1.0.0");
    await home.ok(["install", "--frozen-lockfile", "--force"], inProject);
    expect(await home.ok(["audit"], inProject)).toContain("No known vulnerabilities");
    await home.ok(["outdated"], inProject);
  });
});

describeWhen(npmClientPath("yarn-1"), "yarn-1", "yarn 1", (program) => {
  test("publishes, tags, installs and lists owners", async () => {
    await using home = await loggedIn("yarn-1", program);
    await writePackage(home, "@acme/by-yarn", "1.0.0");
    await home.ok(["publish", "--non-interactive"], inPackage);
    expect((await home.run(["publish", "--non-interactive"], inPackage)).output).toContain(
      "previously published",
    );
    await home.ok(["tag", "add", "@acme/by-yarn@1.0.0", "stable"], inPackage);
    expect(await home.ok(["tag", "list", "@acme/by-yarn"], inPackage)).toContain("stable: 1.0.0");
    await home.ok(["tag", "remove", "@acme/by-yarn", "stable"], inPackage);
    expect(await home.ok(["owner", "list", "@acme/by-yarn"], inPackage)).toContain("admin");
    expect(await home.ok(["info", "@acme/by-yarn", "version"], inPackage)).toContain("1.0.0");
    await writeProject(home);
    await home.ok(["add", "@acme/by-yarn"], inProject);
    expect(await home.ok(["run", "-s", "by-yarn"], inProject)).toContain("@acme/by-yarn 1.0.0");
    await home.ok(["install", "--frozen-lockfile", "--force"], inProject);
  });
});

describeWhen(npmClientPath("yarn-4"), "yarn-4", "yarn 4", (program) => {
  test("publishes, tags, installs and audits", async () => {
    await using home = await loggedIn("yarn-4", program);
    await writePackage(home, "@acme/by-berry", "1.0.0");
    await home.ok(["install"], inPackage);
    await home.ok(["npm", "publish"], inPackage);
    const again = await home.run(["npm", "publish"], inPackage);
    expect(again.code).not.toBe(0);
    expect(again.output).toContain(
      "You cannot publish over the previously published versions: 1.0.0.",
    );
    expect(await home.ok(["npm", "whoami"], inPackage)).toContain("admin");
    await home.ok(["npm", "tag", "add", "@acme/by-berry@1.0.0", "stable"], inPackage);
    expect(await home.ok(["npm", "tag", "list", "@acme/by-berry"], inPackage)).toContain("stable");
    await home.ok(["npm", "tag", "remove", "@acme/by-berry", "stable"], inPackage);
    expect(await home.ok(["npm", "info", "@acme/by-berry", "--json"], inPackage)).toContain(
      "A test of by-berry",
    );
    await home.write("project/yarn.lock", "");
    await writeProject(home);
    await home.ok(["add", "@acme/by-berry"], inProject);
    expect(await home.ok(["run", "by-berry"], inProject)).toContain("@acme/by-berry 1.0.0");
    await home.ok(["install", "--immutable", "--check-cache"], inProject);
    expect(await home.ok(["npm", "audit"], inProject)).toContain("No audit suggestions");
  });

  test("logs in with a token as the password", async () => {
    await using home = await loggedIn("yarn-4", program);
    await home.write(
      ".yarnrc.yml",
      (await home.read(".yarnrc.yml")).replace(/npmAuthToken.*\n/, ""),
    );
    await home.write("package/package.json", JSON.stringify({ name: "x", version: "1.0.0" }));
    await home.write("package/yarn.lock", "");
    await home.ok(["npm", "login"], {
      ...inPackage,
      answers: [
        [/Username:/, "ann"],
        [/Password:/, server.adminToken],
      ],
    });
    expect(await home.ok(["npm", "whoami"], inPackage)).toContain("admin");
  });
});

describeWhen(npmClientPath("bun"), "bun", "bun", (program) => {
  test("publishes, installs and audits", async () => {
    await using home = await loggedIn("bun", program);
    await writePackage(home, "@acme/by-bun", "1.0.0");
    await home.ok(["publish"], inPackage);
    const again = await home.run(["publish"], inPackage);
    expect(again.code).not.toBe(0);
    expect(again.output).toContain("previously published");
    expect(await home.ok(["pm", "whoami"], inPackage)).toContain("admin");
    expect(await home.ok(["info", "@acme/by-bun"], inPackage)).toContain("A test of by-bun");
    await writeProject(home);
    await home.ok(["add", "@acme/by-bun"], inProject);
    expect(await home.ok(["run", "by-bun"], inProject)).toContain("@acme/by-bun 1.0.0");
    await home.ok(["install", "--frozen-lockfile", "--force"], inProject);
    expect(await home.ok(["audit"], inProject)).toContain("No vulnerabilities");
  });
});
