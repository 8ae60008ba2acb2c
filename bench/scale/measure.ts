import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ECOSYSTEM_FACTORIES } from "../../functions/ecosystems.ts";
import { PROTOCOLS } from "../../functions/protocols.ts";
import { FileBlobs } from "../../shared/adapters/filesystem/file-blobs.ts";
import { LocalKeys } from "../../shared/adapters/filesystem/local-keys.ts";
import { NodeOutboundHttp } from "../../shared/adapters/http/node-outbound-http.ts";
import { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import { type BlobCounts, CountingBlobs } from "../../shared/ports/counting-blobs.ts";
import { SILENT_LOG } from "../../shared/ports/log.ts";
import { createServices } from "../../shared/services/services.ts";
import type { Ask } from "../counted-registry.ts";
import { makeManifest } from "../fixtures/manifest.ts";
import { makePublish } from "../fixtures/publish-document.ts";
import { ABBREVIATED } from "../load/requests.ts";
import { MeteredTable, type Units } from "./metered-table.ts";

const ADMIN_TOKEN = "benchmark-admin-token-of-31-chars";
const TARBALL_BYTES = 2048;

/** What one request does, measured on the real handler. */
export interface Measured {
  readonly units: Units;
  /** Of the partition of its package. */
  readonly packageUnits: Units;
  /** Partitions that it shares with requests of other packages, by what is before the first `#`. */
  readonly shared: ReadonlyMap<string, Units>;
  readonly blobs: BlobCounts["operations"];
  readonly cpuMs: number;
  readonly answerBytes: number;
}

/** A package of a size, and what is asked of it. */
export interface MeasuredPackage {
  readonly versions: number;
  readonly metadata: Measured;
  readonly file: Measured;
  readonly publish: Measured;
  /** Bytes of rows per version, documents included. */
  readonly rowBytesPerVersion: number;
}

interface MeasureOptions {
  /** As `Stores` has it. */
  readonly maxRowDocumentBytes?: number;
}

/** Drives the npm handlers over stores that count, with packages of these numbers of versions. */
export async function measurePackages(
  folder: string,
  sizes: readonly number[],
  options: MeasureOptions,
): Promise<readonly MeasuredPackage[]> {
  const registry = await open(folder, options);
  try {
    const measured: MeasuredPackage[] = [];
    for (const versions of sizes) measured.push(await measurePackage(registry, versions));
    return measured;
  } finally {
    await registry.table.close();
  }
}

type Registry = Awaited<ReturnType<typeof open>>;

async function open(folder: string, options: MeasureOptions) {
  const table = new MeteredTable(LmdbTable.open(join(folder, "table")));
  const files = await FileBlobs.open({ folder: join(folder, "blobs"), ticketKey: randomBytes(32) });
  const blobs = new CountingBlobs(files);
  const keys = await LocalKeys.open(join(folder, "keys"));
  const stores = {
    table,
    blobs,
    keys,
    log: SILENT_LOG,
    outbound: new NodeOutboundHttp(),
    now: Date.now,
    ...(options.maxRowDocumentBytes === undefined
      ? {}
      : { maxRowDocumentBytes: options.maxRowDocumentBytes }),
  };
  const services = createServices(stores, ECOSYSTEM_FACTORIES, {
    adminToken: ADMIN_TOKEN,
    requestsPerMinute: 0,
    // As on Lambda.
    downloads: "redirect",
    trustProxy: false,
  });
  const apps = PROTOCOLS.map(({ prefix, createApp }) => ({ prefix, app: createApp(services) }));
  const ask = async ({ path, headers, ...init }: Ask): Promise<number> => {
    const found = apps.find(({ prefix }) => path.startsWith(`${prefix}/`));
    if (found === undefined) throw new Error(`no protocol serves ${path}`);
    const authorization = `Bearer ${ADMIN_TOKEN}`;
    const request = new Request(`http://registry.test${path}`, {
      ...init,
      headers: { ...headers, authorization },
    });
    const context = { address: "192.0.2.1", requestId: "scale-request", actor: "" };
    const answer = await found.app.fetch(request, context);
    const body = await answer.arrayBuffer();
    if (answer.status >= 400) throw new Error(`${path} answered ${answer.status}`);
    return body.byteLength;
  };
  const body = JSON.stringify({ slug: "bench", ecosystem: "npm", kind: "source" });
  const headers = { "content-type": "application/json" };
  await ask({ method: "POST", path: "/api/v1/registries", headers, body });
  return { table, blobs, ask };
}

async function measurePackage(registry: Registry, versions: number): Promise<MeasuredPackage> {
  const name = `scale-${versions}`;
  let bytes = 0;
  for (let patch = 0; patch < versions; patch++) {
    await registry.ask(await publishOf(name, `1.0.${patch}`));
  }
  // Every row of the package, as it stands.
  const partition = [...registry.table.units().keys()].find((pk) => pk.endsWith(`#${name}`));
  if (partition === undefined) throw new Error(`${name} has no partition`);
  registry.table.reset();
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await registry.table.query({
      pk: partition,
      limit: 1000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    cursor = page.cursor;
    more = cursor !== undefined;
  }
  bytes = (registry.table.units().get(partition)?.read ?? 0) * 4096;
  const accept = { accept: ABBREVIATED, "accept-encoding": "gzip" };
  return {
    versions,
    metadata: await measure(registry, partition, 20, async () => ({
      path: `/npm/bench/${name}`,
      headers: accept,
    })),
    file: await measure(registry, partition, 20, async () => ({
      path: `/npm/bench/${name}/-/${name}-1.0.0.tgz`,
    })),
    publish: await measure(registry, partition, 5, (turn) => publishOf(name, `2.0.${turn}`)),
    rowBytesPerVersion: bytes / versions,
  };
}

/** The first turn warms the caches; the others are counted. */
async function measure(
  { table, blobs, ask }: Registry,
  partition: string,
  turns: number,
  make: (turn: number) => Promise<Ask>,
): Promise<Measured> {
  const asks: Ask[] = [];
  for (let turn = 0; turn <= turns; turn++) asks.push(await make(turn));
  const [first, ...rest] = asks;
  if (first !== undefined) await ask(first);
  table.reset();
  blobs.reset();
  let answerBytes = 0;
  const before = process.cpuUsage();
  for (const each of rest) answerBytes += await ask(each);
  const { user, system } = process.cpuUsage(before);
  const all = [...table.units()];
  const per = (units: Units): Units => ({ read: units.read / turns, write: units.write / turns });
  const shared = new Map<string, Units>();
  for (const [pk, units] of all) {
    if (pk === partition) continue;
    const family = familyOf(pk);
    shared.set(family, add(shared.get(family), per(units)));
  }
  return {
    units: per(all.reduce<Units>((sum, [, units]) => add(sum, units), { read: 0, write: 0 })),
    packageUnits: per(table.units().get(partition) ?? { read: 0, write: 0 }),
    shared,
    blobs: Object.fromEntries(
      Object.entries(blobs.counts().operations).map(([name, count]) => [name, count / turns]),
    ),
    cpuMs: (user + system) / 1000 / turns,
    answerBytes: answerBytes / turns,
  };
}

function familyOf(pk: string): string {
  const [kind = "", ...rest] = pk.split("#");
  // A registry's partitions are told apart by what they list.
  return kind === "R" ? `R#…#${rest[1] ?? ""}` : kind;
}

const add = (a: Units | undefined, b: Units): Units => ({
  read: (a?.read ?? 0) + b.read,
  write: (a?.write ?? 0) + b.write,
});

async function publishOf(name: string, version: string): Promise<Ask> {
  const manifest = makeManifest(name, version, { left: "^1.0.0" });
  return {
    method: "PUT",
    path: `/npm/bench/${name}`,
    headers: { "content-type": "application/json" },
    body: await makePublish(manifest, TARBALL_BYTES),
  };
}
