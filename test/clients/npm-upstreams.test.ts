import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { npmClientPath, openClientHome } from "../support/npm-clients.ts";
import { NPM_APPLICATION, npmRegistryHere } from "../support/npm-application.ts";
import { describeWhen } from "../support/programs.ts";
import { startServer, type TestServer } from "../support/server.ts";

const DEPENDENCIES = { "@acme/hello": "^1.0.0", ...NPM_APPLICATION };
const INSTALL = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});
type Lock = z.infer<typeof lockSchema>;

const manifestSchema = z.object({ dist: z.object({ integrity: z.string() }) });

const program = npmClientPath("npm-11");
const upstream = npmRegistryHere();
let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  const post = async (path: string, body: unknown): Promise<void> => {
    const response = await server.api(path, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
  };
  // A mirror may be on a private network.
  await post("/upstreams", { key: "npmjs", ecosystem: "npm", url: upstream, allowPrivate: true });
  await server.createRegistry({ slug: "team", ecosystem: "npm" });
  await server.createRegistry({
    slug: "all",
    ecosystem: "npm",
    kind: "composite",
    upstreams: ["team"],
    official: true,
    publishTo: "team",
  });
});

afterAll(async () => server?.stop());

async function installed(client: string, lock?: string): Promise<{ text: string; lock: Lock }> {
  await using home = await openClientHome(client);
  const registry = `${server.url}/npm/all/`;
  await home.write(
    ".npmrc",
    `registry=${registry}\n//${registry.replace(/^https?:\/\//, "")}:_authToken=${server.adminToken}\n`,
  );
  const app = { name: "app", version: "1.0.0", private: true, dependencies: DEPENDENCIES };
  await home.write("app/package.json", JSON.stringify(app));
  if (lock !== undefined) await home.write("app/package-lock.json", lock);
  await home.ok([lock === undefined ? "install" : "ci", ...INSTALL], { folder: "app" });
  const text = await home.read("app/package-lock.json");
  return { text, lock: lockSchema.parse(JSON.parse(text)) };
}

/** The sums that the public registry itself gives, fetched a few at a time. */
async function expectOfficialSums(lock: Lock): Promise<void> {
  const entries = Object.entries(lock.packages).filter(
    ([path]) => path !== "" && !path.endsWith("@acme/hello"),
  );
  const wrong: string[] = [];
  const next = entries[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const [path, { version, integrity }] of next) {
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      const response = await fetch(`${upstream}/${name.replace("/", "%2f")}/${version}`);
      const { dist } = manifestSchema.parse(await response.json());
      if (dist.integrity !== integrity) wrong.push(path);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  expect(entries.length).toBeGreaterThan(500);
  expect(wrong).toEqual([]);
}

describeWhen(
  program,
  "npm 11",
  "npm through a composite of a team's registry and the public one",
  (client) => {
    test("publishes, installs 500 packages, and installs them again without the upstream", async () => {
      await using publisher = await openClientHome(client);
      const registry = `${server.url}/npm/all/`;
      await publisher.write(
        ".npmrc",
        `registry=${registry}\n//${registry.replace(/^https?:\/\//, "")}:_authToken=${server.adminToken}\n`,
      );
      await publisher.write(
        "hello/package.json",
        JSON.stringify({ name: "@acme/hello", version: "1.0.0" }),
      );
      await publisher.ok(["publish"], { folder: "hello" });

      const cold = await installed(client);
      await expectOfficialSums(cold.lock);
      const warm = await installed(client);
      expect(warm.text).toBe(cold.text);

      const offline = await server.api("/upstreams/npmjs", {
        method: "PATCH",
        body: JSON.stringify({ offline: true }),
      });
      expect(offline.status).toBe(200);
      expect((await installed(client)).text).toBe(cold.text);
      expect((await installed(client, cold.text)).text).toBe(cold.text);
    }, 600_000);
  },
);
