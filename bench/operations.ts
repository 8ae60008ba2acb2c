import { makeManifest } from "./fixtures/manifest.ts";
import { makePublish } from "./fixtures/publish-document.ts";
import { ABBREVIATED } from "./load/requests.ts";
import type { Ask, CountedRegistry } from "./counted-registry.ts";
import { measureKinds, type OperationCosts, type RequestKind } from "./operation-costs.ts";

const TARBALL_BYTES = 2048;
const SMALL = "bench-small";
const LARGE = "bench-large";

/** The requests of npm's clients, and of generic files. */
export async function measureOperations(quick: boolean): Promise<readonly OperationCosts[]> {
  const versions = quick ? 100 : 1000;
  return measureKinds(quick ? 10 : 50, async (registry) => {
    await publishVersions(registry, SMALL, 3);
    await publishVersions(registry, LARGE, versions);
    return kinds(versions);
  });
}

function kinds(versions: number): readonly RequestKind[] {
  const packument = (name: string, headers: Readonly<Record<string, string>>) => async () => ({
    path: `/npm/bench/${name}`,
    headers: { "accept-encoding": "gzip", ...headers },
  });
  return [
    { name: "packument, abbreviated", ask: packument(SMALL, { accept: ABBREVIATED }) },
    { name: "packument, full", ask: packument(SMALL, {}) },
    { name: "packument, not modified", ask: packument(SMALL, { "if-none-match": "*" }) },
    { name: "packument, not found", ask: packument("bench-none", {}) },
    {
      name: `packument of ${versions}, abbreviated`,
      ask: packument(LARGE, { accept: ABBREVIATED }),
    },
    { name: `packument of ${versions}, full`, ask: packument(LARGE, {}) },
    { name: "one version", ask: packument(`${SMALL}/1.0.1`, {}) },
    { name: "dist-tags", ask: packument(`-/package/${SMALL}/dist-tags`, {}) },
    {
      name: "tarball, inline",
      ask: async () => ({ path: `/npm/bench/${SMALL}/-/${SMALL}-1.0.1.tgz` }),
    },
    {
      name: "publish, new package",
      ask: (turn) => publish(`bench-new-${turn}`, "1.0.0"),
    },
    { name: "publish, new version", ask: (turn) => publish(SMALL, `2.0.${turn}`) },
    { name: `publish into ${versions}`, ask: (turn) => publish(LARGE, `2.0.${turn}`) },
    {
      name: "move a dist-tag",
      ask: async (turn) => ({
        method: "PUT",
        path: `/npm/bench/-/package/${SMALL}/dist-tags/beta`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(`1.0.${turn % 2}`),
      }),
    },
    {
      name: "generic file, PUT",
      ask: async (turn) => ({
        method: "PUT",
        path: `/generic/files/tool/1.0.${turn}/tool.bin`,
        body: `the tool in its version ${turn}`,
      }),
    },
    {
      name: "generic file, GET",
      ask: async () => ({ path: "/generic/files/tool/1.0.1/tool.bin" }),
    },
  ];
}

async function publish(name: string, version: string): Promise<Ask> {
  const manifest = makeManifest(name, version, { left: "^1.0.0" });
  return {
    method: "PUT",
    path: `/npm/bench/${name}`,
    headers: { "content-type": "application/json" },
    body: await makePublish(manifest, TARBALL_BYTES),
  };
}

async function publishVersions(
  registry: CountedRegistry,
  name: string,
  count: number,
): Promise<void> {
  for (let patch = 0; patch < count; patch++)
    await registry.ask(await publish(name, `1.0.${patch}`));
}
