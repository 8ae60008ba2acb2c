import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { FileBlobs } from "../../shared/adapters/filesystem/file-blobs.ts";
import { LocalKeys } from "../../shared/adapters/filesystem/local-keys.ts";
import { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import { createBlobRoutes } from "./blob-routes.ts";
import { ConfigError } from "./config.ts";
import type { Home } from "./home.ts";

const EXPIRY_INTERVAL_MS = 60_000;

/** Everything in one folder, which is made when it is missing. @throws {ConfigError} when it cannot be made. */
export async function openLocalHome(folder: string): Promise<Home> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`The data folder cannot be made: ${why}. Choose another with --data.`);
  });
  const keys = await LocalKeys.open(join(folder, "keys"));
  const table = LmdbTable.open(join(folder, "table"));
  const blobs = await FileBlobs.open({
    folder: join(folder, "blobs"),
    ticketKey: keys.deriveKey("blob-tickets"),
  });
  return {
    table,
    blobs,
    keys,
    place: folder,
    blobRoutes: createBlobRoutes(blobs),
    ownsBackground: true,
    tasks: [
      {
        name: "expired-rows",
        everyMs: EXPIRY_INTERVAL_MS,
        run: () => table.removeExpired(1000),
      },
    ],
  };
}
