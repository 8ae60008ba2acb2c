import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeManifest } from "./fixtures/manifest.ts";
import { makePublish } from "./fixtures/publish-document.ts";
import { ABBREVIATED } from "./load/requests.ts";
import { type CountedRegistry, openCountedRegistry, type Ask } from "./counted-registry.ts";
import type { BlobCounts } from "../shared/ports/counting-blobs.ts";
import type { TableCounts } from "../shared/ports/counting-table.ts";

/** What one kind of request costs, without the server around the apps: what a function on Lambda pays for. */
export interface OperationCosts {
  readonly request: string;
  /** User and system time, the mean of several. */
  readonly cpuMs: number;
  /** Of one request, when the caches of this process are warm. */
  readonly table: TableCounts;
  readonly blobs: BlobCounts;
}

interface Kind {
  readonly name: string;
  /** The request of a turn; turns that publish need a name or version of their own. */
  readonly ask: (turn: number) => Promise<Ask>;
}

const TARBALL_BYTES = 2048;
const SMALL = "bench-small";
const LARGE = "bench-large";

/** Runs the apps in this process over embedded stores that count, and asks each kind of request several times. */
export async function measureOperations(quick: boolean): Promise<readonly OperationCosts[]> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-operations-"));
  const registry = await openCountedRegistry(folder);
  const versions = quick ? 100 : 1000;
  try {
    await publishVersions(registry, SMALL, 3);
    await publishVersions(registry, LARGE, versions);
    const costs: OperationCosts[] = [];
    for (const kind of kinds(versions)) {
      costs.push(await measureKind(registry, kind, quick ? 10 : 50));
    }
    return costs;
  } finally {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureKind(
  registry: CountedRegistry,
  kind: Kind,
  turns: number,
): Promise<OperationCosts> {
  const asks: Ask[] = [];
  for (let turn = 0; turn <= turns; turn++) asks.push(await kind.ask(turn));
  const [first, ...rest] = asks;
  if (first !== undefined) await registry.ask(first);
  const before = process.cpuUsage();
  for (const ask of rest.slice(0, -1)) await registry.ask(ask);
  const { user, system } = process.cpuUsage(before);
  registry.reset();
  for (const ask of rest.slice(-1)) await registry.ask(ask);
  const cpuMs = (user + system) / 1000 / Math.max(1, rest.length - 1);
  return { request: kind.name, cpuMs, ...registry.counts() };
}

function kinds(versions: number): readonly Kind[] {
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
