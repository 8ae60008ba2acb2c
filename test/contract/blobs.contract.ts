import { afterEach } from "vitest";
import type { GetStore } from "./blobs/harness.ts";
import { multipartContract } from "./blobs/multipart.contract.ts";
import { putContract } from "./blobs/put.contract.ts";
import { readContract } from "./blobs/read.contract.ts";
import { stagedContract } from "./blobs/staged.contract.ts";
import { ticketsContract } from "./blobs/tickets.contract.ts";

/** What every adapter of the blobs port does; `store` gives the one under test, which starts empty. */
export function blobsContract(store: GetStore): void {
  afterEach(async () => {
    const { blobs } = store();
    for (const { sha256 } of (await blobs.list({ limit: 1000 })).blobs) await blobs.remove(sha256);
    for (const { uploadId } of await blobs.listMultipart()) await blobs.abortMultipart(uploadId);
    await blobs.sweep(Date.now() + 3_600_000);
  });
  putContract(store);
  readContract(store);
  ticketsContract(store);
  multipartContract(store);
  stagedContract(store);
}
