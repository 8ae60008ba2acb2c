import { randomBytes } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { ECOSYSTEM_FACTORIES } from "../../../functions/ecosystems.ts";
import { FileBlobs } from "../../../shared/adapters/filesystem/file-blobs.ts";
import { LocalKeys } from "../../../shared/adapters/filesystem/local-keys.ts";
import { NodeOutboundHttp } from "../../../shared/adapters/http/node-outbound-http.ts";
import { LmdbTable } from "../../../shared/adapters/lmdb/lmdb-table.ts";
import { SILENT_LOG } from "../../../shared/ports/log.ts";
import {
  expiredUploadSessionsQuery,
  toUploadSession,
  type UploadSession,
} from "../../../shared/records/upload-sessions.ts";
import { createServices } from "../../../shared/services/services.ts";
import { describeWith } from "../../support/programs.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { Client } from "./client.ts";
import { regctl, skopeo } from "./image-tools.ts";
import { writeLargeLayout } from "./large-layout.ts";

const LAYER_BYTES = 200_000_000;
/** So much has arrived when something is killed: a part, and by far not all. */
const KILL_BYTES = 30_000_000;
const DAYS_MS = 3 * 86_400_000;

describeWith("regctl", "a push in chunks whose client is killed", (program) => {
  test("succeeds when repeated, and the sweep removes what the first one left", async () => {
    await using folder = await temporaryFolder("oci-killed");
    const data = join(folder.path, "data");
    await using servers = new Servers(data);
    const server = await servers.start();
    const client = await Client.create(program, join(folder.path, "client"));
    const host = new URL(server.url).host;
    const chunks = ["--blob-chunk", "2000000", "--blob-max", "2000000"];
    await client.succeed(["registry", "set", "--skip-check", "--tls", "disabled", ...chunks, host]);
    await client.succeed(regctl.login(host, "builder", server.adminToken), server.adminToken);
    const layout = join(folder.path, "layout");
    await writeLargeLayout(layout, "v1", LAYER_BYTES);
    const push = regctl.push(layout, "v1", `${host}/oci/killed:v1`);
    const first = client.start(push);
    await untilStored(data, KILL_BYTES);
    first.child.kill("SIGKILL");
    await first.finished;
    await expectNoManifest(server);
    await client.succeed(push);
    await server.stop({ keepData: true });
    const { before, after } = await sweepLater(data);
    // One for each of the two blobs at most; those of the second push were completed and wait for their expiry.
    expect(before.filter(({ state }) => state === "open").length).toBeGreaterThanOrEqual(1);
    expect(after).toEqual([]);
    expect(await storedBytes(join(data, "blobs", "tmp"))).toBe(0);
    expect(await storedBytes(join(data, "blobs"))).toBeLessThan(LAYER_BYTES * 1.1);
  });
});

describeWith("skopeo", "a push in one stream", (program) => {
  const cases = { client: "its client is killed", server: "the server is killed" } as const;
  for (const [victim, title] of Object.entries(cases)) {
    test(`succeeds when repeated after ${title}, and leaves nothing else`, async () => {
      await using folder = await temporaryFolder("oci-killed");
      const data = join(folder.path, "data");
      await using servers = new Servers(data);
      const client = await Client.create(program, join(folder.path, "client"));
      const layout = join(folder.path, "layout");
      const layer = await writeLargeLayout(layout, "v1", LAYER_BYTES);
      let server = await servers.start();
      const first = client.start(await pushTo(client, server, layout));
      await untilStored(data, KILL_BYTES);
      if (victim === "client") first.child.kill("SIGKILL");
      else {
        await server.stop({ signal: "SIGKILL", keepData: true });
        server = await servers.start();
      }
      const { code } = await first.finished;
      expect(code).not.toBe(0);
      await expectNoManifest(server);
      await client.succeed(await pushTo(client, server, layout));
      const pulled = join(folder.path, "pulled");
      const from = `docker://${new URL(server.url).host}/oci/killed:v1`;
      const copy = ["--insecure-policy", "copy", "--src-tls-verify=false"];
      await client.succeed([...copy, from, `dir:${pulled}`]);
      // skopeo has checked the digest; a folder of its kind names blobs by it.
      const file = await stat(join(pulled, layer.digest.replace("sha256:", "")));
      expect(file.size).toBe(LAYER_BYTES);
      await server.stop({ keepData: true });
      expect((await sweepLater(data)).after).toEqual([]);
      expect(await storedBytes(join(data, "blobs", "tmp"))).toBe(0);
      expect(await storedBytes(join(data, "blobs"))).toBeLessThan(LAYER_BYTES * 1.1);
    });
  }

  async function pushTo(client: Client, server: TestServer, layout: string) {
    const host = new URL(server.url).host;
    await client.succeed(skopeo.login(host, "builder", server.adminToken));
    const flags = ["--insecure-policy", "copy", "--preserve-digests", "--dest-tls-verify=false"];
    return [...flags, `oci:${layout}:v1`, `docker://${host}/oci/killed:v1`];
  }
});

/** Servers over one data folder, one after the other. Disposing stops them, and leaves the data to its folder. */
class Servers implements AsyncDisposable {
  readonly #data: string;
  readonly #started: TestServer[] = [];

  constructor(data: string) {
    this.#data = data;
  }

  /** The first creates the registry `oci`. */
  async start(): Promise<TestServer> {
    const server = await startServer({ folder: this.#data });
    this.#started.push(server);
    if (this.#started.length === 1) {
      await server.createRegistry({ slug: "oci", ecosystem: "oci", kind: "source" });
    }
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#started) await server.stop({ keepData: true });
  }
}

async function expectNoManifest({ url, adminToken }: TestServer): Promise<void> {
  const headers = { authorization: `Bearer ${adminToken}` };
  const answer = await fetch(`${url}/v2/oci/killed/manifests/v1`, { headers });
  expect(answer.status).toBe(404);
}

/** Does what the workers of a server do, as if three days had passed, to data that no server has open. */
async function sweepLater(data: string) {
  const now = (): number => Date.now() + DAYS_MS;
  const table = LmdbTable.open(join(data, "table"), { nowSeconds: () => Math.floor(now() / 1000) });
  const folder = join(data, "blobs");
  const blobs = await FileBlobs.open({ folder, ticketKey: randomBytes(32), clock: now });
  const keys = await LocalKeys.open(join(data, "keys"));
  const outbound = new NodeOutboundHttp();
  const stores = { table, blobs, keys, log: SILENT_LOG, outbound, now };
  const { uploadSessions, blobLinks } = createServices(stores, ECOSYSTEM_FACTORIES, {
    requestsPerMinute: 0,
    downloads: "inline",
    trustProxy: false,
  });
  const sessions = async (): Promise<readonly UploadSession[]> => {
    const { items } = await table.query(expiredUploadSessionsQuery(now() + DAYS_MS, 1000));
    return items.map(toUploadSession);
  };
  try {
    const before = await sessions();
    await uploadSessions.sweep();
    await blobs.sweep(now() - 86_400_000);
    await blobLinks.sweep();
    return { before, after: await sessions() };
  } finally {
    await table.close();
  }
}

async function untilStored(data: string, bytes: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  while ((await storedBytes(join(data, "blobs"))) < bytes) {
    if (Date.now() > deadline) throw new Error("nothing arrives");
    await wait(10);
  }
}

async function storedBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size);
  // Files come and go while we look.
  const settled = await Promise.allSettled(sizes);
  return settled.reduce((sum, some) => sum + (some.status === "fulfilled" ? some.value : 0), 0);
}
