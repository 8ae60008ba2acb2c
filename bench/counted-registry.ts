import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ECOSYSTEM_FACTORIES } from "../functions/ecosystems.ts";
import { LISTING_FORMATS } from "../functions/listing-formats.ts";
import { PROTOCOLS } from "../functions/protocols.ts";
import { FileBlobs } from "../shared/adapters/filesystem/file-blobs.ts";
import { LocalKeys } from "../shared/adapters/filesystem/local-keys.ts";
import { NodeOutboundHttp } from "../shared/adapters/http/node-outbound-http.ts";
import { LmdbTable } from "../shared/adapters/lmdb/lmdb-table.ts";
import { type BlobCounts, CountingBlobs } from "../shared/ports/counting-blobs.ts";
import { CountingTable, type TableCounts } from "../shared/ports/counting-table.ts";
import type { EcosystemName } from "../shared/domain/registry.ts";
import { SILENT_LOG } from "../shared/ports/log.ts";
import { createServices } from "../shared/services/services.ts";

const ADMIN_TOKEN = "benchmark-admin-token-of-31-chars";
const ORIGIN = "http://registry.test";

/** One request of an administrator. `path` is absolute; GET when there is no method. */
export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** The apps over embedded stores that count, with the npm registry `bench` and the generic one `files`. */
export interface CountedRegistry {
  /** Asks and reads the whole answer. @throws {Error} for what is our fault or a publish that was refused. */
  ask(request: Ask): Promise<void>;
  /** Creates a registry. */
  create(slug: string, ecosystem: EcosystemName): Promise<void>;
  counts(): { readonly table: TableCounts; readonly blobs: BlobCounts };
  reset(): void;
  close(): Promise<void>;
}

/** Opens one in a folder of its own. */
export async function openCountedRegistry(folder: string): Promise<CountedRegistry> {
  const table = new CountingTable(LmdbTable.open(join(folder, "table")));
  const files = await FileBlobs.open({ folder: join(folder, "blobs"), ticketKey: randomBytes(32) });
  const blobs = new CountingBlobs(files);
  const keys = await LocalKeys.open(join(folder, "keys"));
  const outbound = new NodeOutboundHttp();
  const stores = { table, blobs, keys, log: SILENT_LOG, outbound, now: Date.now };
  const services = createServices(stores, ECOSYSTEM_FACTORIES, {
    listings: LISTING_FORMATS,
    adminToken: ADMIN_TOKEN,
    requestsPerMinute: 0,
    downloads: "inline",
    trustProxy: false,
  });
  const apps = PROTOCOLS.map(({ prefix, createApp }) => ({ prefix, app: createApp(services) }));
  const ask = async ({ path, headers, ...init }: Ask): Promise<void> => {
    const found = apps.find(({ prefix }) => path.startsWith(`${prefix}/`));
    if (found === undefined) throw new Error(`no protocol serves ${path}`);
    const authorization = `Bearer ${ADMIN_TOKEN}`;
    const request = new Request(ORIGIN + path, { ...init, headers: { ...headers, authorization } });
    const context = { address: "192.0.2.1", requestId: "bench-request", actor: "" };
    const answer = await found.app.fetch(request, context);
    const text = await answer.text();
    if (answer.status >= 500 || (init.method !== undefined && !answer.ok)) {
      throw new Error(`${init.method ?? "GET"} ${path} answered ${answer.status}: ${text}`);
    }
  };
  const create = async (slug: string, ecosystem: EcosystemName): Promise<void> => {
    const body = JSON.stringify({ slug, ecosystem, kind: "source" });
    const headers = { "content-type": "application/json" };
    await ask({ method: "POST", path: "/api/v1/registries", headers, body });
  };
  await create("bench", "npm");
  await create("files", "generic");
  return {
    ask,
    create,
    counts: () => ({ table: table.counts(), blobs: blobs.counts() }),
    reset: () => {
      table.reset();
      blobs.reset();
    },
    close: () => table.close(),
  };
}
