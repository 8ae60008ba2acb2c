import { expect, test } from "vitest";
import { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import { CountingTable } from "../../shared/ports/counting-table.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { putOf } from "./table/builders.ts";

test("a CountingTable counts what is asked of a table, and what that reads and writes", async () => {
  await using folder = await temporaryFolder("counting");
  const table = new CountingTable(LmdbTable.open(folder.path));
  await table.write([putOf("p", "a", { bytes: new Uint8Array(1000) }), putOf("p", "b")]);
  const { bytesWritten, ...written } = table.counts();
  expect(written).toMatchObject({ writes: 1, ops: 2, gets: 0 });
  expect(bytesWritten).toBeGreaterThan(1000);
  table.reset();
  await table.get({ pk: "p", sk: "a" });
  await table.get({ pk: "p", sk: "none" });
  await table.getMany(["a", "b", "none"].map((sk) => ({ pk: "p", sk })));
  await table.query({ pk: "p", limit: 10 });
  const { bytesRead, ...read } = table.counts();
  expect(read).toEqual({
    gets: 2,
    getManys: 1,
    getManyKeys: 3,
    queries: 1,
    itemsRead: 5,
    writes: 0,
    ops: 0,
    bytesWritten: 0,
  });
  expect(bytesRead).toBeGreaterThan(3000);
  await table.close();
});
