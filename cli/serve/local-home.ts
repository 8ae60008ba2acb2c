import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "../../shared/adapters/filesystem/blob-folder.ts";
import { FileBlobs } from "../../shared/adapters/filesystem/file-blobs.ts";
import { LocalKeys } from "../../shared/adapters/filesystem/local-keys.ts";
import { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import { createBlobRoutes } from "./blob-routes.ts";
import { ConfigError } from "./config.ts";
import type { Home } from "./home.ts";

const EXPIRY_INTERVAL_MS = 60_000;
/** Few enough that a commit keeps no request waiting; so many commits that a round ends, and a server can stop. */
const EXPIRED_ROWS_PER_COMMIT = 1000;
const MAX_COMMITS_PER_ROUND = 100;

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
  for (const named of [join(folder, "table"), folder]) await syncFolder(named);
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
        run: () => removeExpired(table),
      },
    ],
  };
}

async function removeExpired(table: LmdbTable): Promise<void> {
  for (let commit = 0; commit < MAX_COMMITS_PER_ROUND; commit++) {
    const removed = await table.removeExpired(EXPIRED_ROWS_PER_COMMIT);
    if (removed < EXPIRED_ROWS_PER_COMMIT) return;
  }
}
