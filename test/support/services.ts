import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { ECOSYSTEM_FACTORIES } from "../../functions/ecosystems.ts";
import { LISTING_FORMATS } from "../../functions/listing-formats.ts";
import { PROTOCOLS, serves } from "../../functions/protocols.ts";
import { FileBlobs } from "../../shared/adapters/filesystem/file-blobs.ts";
import { LocalKeys } from "../../shared/adapters/filesystem/local-keys.ts";
import { NodeOutboundHttp } from "../../shared/adapters/http/node-outbound-http.ts";
import { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import type { Registry, RegistryPolicies } from "../../shared/domain/registry.ts";
import { SILENT_LOG } from "../../shared/ports/log.ts";
import {
  createServices,
  type ServiceOptions,
  type Services,
} from "../../shared/services/services.ts";
import type { Stores } from "../../shared/services/stores.ts";

export const ADMIN_TOKEN = "test-admin-token-of-26-chars";
const ORIGIN = "http://registry.test";

type NewTestRegistry = Partial<Omit<Registry, "policies">> &
  Pick<Registry, "slug" | "ecosystem"> & { readonly policies?: Partial<RegistryPolicies> };

export interface TestRegistry {
  readonly services: Services;
  readonly stores: Stores;
  /** Milliseconds added to the clock of the services. */
  readonly clock: { aheadMs: number };
  /** Sends a request to the app of its path. `token` defaults to the admin's; `null` sends none. */
  request(path: string, init?: RequestInit & { readonly token?: string | null }): Promise<Response>;
  createRegistry(input: NewTestRegistry): Promise<void>;
  close(): Promise<void>;
}

/** Services over embedded stores in a folder of their own, and the apps over them. */
export async function openTestRegistry(
  options: Partial<ServiceOptions> = {},
): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-test-"));
  const clock = { aheadMs: 0 };
  const now = (): number => Date.now() + clock.aheadMs;
  const table = LmdbTable.open(join(folder, "table"), {
    nowSeconds: () => Math.floor(now() / 1000),
  });
  const blobs = await FileBlobs.open({
    folder: join(folder, "blobs"),
    ticketKey: randomBytes(32),
    clock: now,
  });
  const keys = await LocalKeys.open(join(folder, "keys"));
  const outbound = new NodeOutboundHttp();
  const close = async (): Promise<void> => {
    await outbound.close();
    await table.close();
    await rm(folder, { recursive: true, force: true });
  };
  const stores = { table, blobs, keys, log: SILENT_LOG, outbound, now };
  return registryOver(stores, { clock, close }, options);
}

/** The services and apps over stores of the test's own choice. */
export function registryOver(
  stores: Stores,
  { clock, close }: Pick<TestRegistry, "clock" | "close">,
  options: Partial<ServiceOptions> = {},
): TestRegistry {
  const services = createServices(stores, ECOSYSTEM_FACTORIES, {
    listings: LISTING_FORMATS,
    adminToken: ADMIN_TOKEN,
    requestsPerMinute: 0,
    downloads: "inline",
    trustProxy: false,
    ...options,
  });
  const apps = PROTOCOLS.map((protocol) => ({ protocol, app: protocol.createApp(services) }));

  const request: TestRegistry["request"] = async (path, init = {}) => {
    const { token = ADMIN_TOKEN, ...rest } = init;
    const headers = new Headers(rest.headers);
    if (token !== null && !headers.has("authorization")) {
      headers.set("authorization", `Bearer ${token}`);
    }
    const [pathname = ""] = path.split("?");
    const found = apps.find(({ protocol }) => serves(protocol, pathname));
    if (found === undefined) throw new Error(`no protocol serves ${path}`);
    return found.app.fetch(new Request(ORIGIN + path, { ...rest, headers, ...duplex(rest.body) }), {
      address: "192.0.2.1",
      requestId: "test-request",
      actor: "",
    });
  };

  return {
    services,
    stores,
    clock,
    request,
    createRegistry: async (input) => {
      const { slug, ecosystem, ...rest } = input;
      const response = await request("/api/v1/registries", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ slug, ecosystem, kind: "source", ...rest }),
      });
      if (response.status !== 201) throw new Error(await response.text());
    },
    close,
  };
}

/** Streams as request bodies need `duplex`, which the DOM types do not know. */
function duplex(body: RequestInit["body"]): { readonly duplex?: "half" } {
  return body instanceof ReadableStream ? { duplex: "half" } : {};
}
