import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ask, type CountedRegistry, openCountedRegistry } from "../counted-registry.ts";
import type { OperationCosts } from "../operations.ts";
import { MANIFEST } from "./wire.ts";

const IMAGE = "/v2/images/team/app";
const OCTETS = { "content-type": "application/octet-stream" };
const CONFIG = "application/vnd.oci.image.config.v1+json";

interface Kind {
  readonly name: string;
  readonly ask: (turn: number) => Ask;
}

const digestOf = (text: string): string =>
  `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** Runs the apps in this process over embedded stores that count, and asks each kind of request several times. */
export async function measureOperations(turns: number): Promise<readonly OperationCosts[]> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-operations-"));
  const registry = await openCountedRegistry(folder);
  try {
    await registry.ask({
      method: "POST",
      path: "/api/v1/registries",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ slug: "images", ecosystem: "oci", kind: "source" }),
    });
    const costs: OperationCosts[] = [];
    for (const kind of await kinds(registry)) costs.push(await measureKind(registry, kind, turns));
    return costs;
  } finally {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function kinds(registry: CountedRegistry): Promise<readonly Kind[]> {
  const blob = "the bytes of a blob";
  await registry.ask(pushOf(blob));
  const config = { mediaType: CONFIG, digest: digestOf(blob), size: blob.length };
  const manifest = (label: string): string =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config,
      layers: [],
      annotations: { label },
    });
  const put = (reference: string, label: string): Ask => ({
    method: "PUT",
    path: `${IMAGE}/manifests/${reference}`,
    headers: { "content-type": MANIFEST },
    body: manifest(label),
  });
  await registry.ask(put("v1", "the first"));
  const digest = digestOf(manifest("the first"));
  return [
    { name: "manifest GET by tag", ask: () => ({ path: `${IMAGE}/manifests/v1` }) },
    { name: "manifest GET by digest", ask: () => ({ path: `${IMAGE}/manifests/${digest}` }) },
    {
      name: "blob HEAD",
      ask: () => ({ method: "HEAD", path: `${IMAGE}/blobs/${config.digest}` }),
    },
    { name: "blob GET, inline", ask: () => ({ path: `${IMAGE}/blobs/${config.digest}` }) },
    {
      name: "blob push in one POST, new bytes",
      ask: () => pushOf(randomBytes(16).toString("hex")),
    },
    { name: "blob push in one POST, known bytes", ask: () => pushOf(blob) },
    { name: "manifest PUT, new tag", ask: (turn) => put(`new-${turn}`, `new ${turn}`) },
    { name: "manifest PUT, moved tag", ask: (turn) => put("moved", `moved ${turn}`) },
    { name: "manifest PUT, the same again", ask: () => put("v1", "the first") },
    { name: "tags list", ask: () => ({ path: `${IMAGE}/tags/list` }) },
    { name: "referrers", ask: () => ({ path: `${IMAGE}/referrers/${digest}` }) },
  ];
}

function pushOf(body: string): Ask {
  const path = `${IMAGE}/blobs/uploads/?digest=${digestOf(body)}`;
  return { method: "POST", path, headers: OCTETS, body };
}

async function measureKind(
  registry: CountedRegistry,
  kind: Kind,
  turns: number,
): Promise<OperationCosts> {
  // The first warms the caches, the last is the one that is counted.
  await registry.ask(kind.ask(0));
  const before = process.cpuUsage();
  for (let turn = 1; turn <= turns; turn++) await registry.ask(kind.ask(turn));
  const { user, system } = process.cpuUsage(before);
  registry.reset();
  await registry.ask(kind.ask(turns + 1));
  return { request: kind.name, cpuMs: (user + system) / 1000 / turns, ...registry.counts() };
}
