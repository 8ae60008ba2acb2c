import { expect, test } from "vitest";
import { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { putOf, sortKeysOf } from "./table/builders.ts";

test("removeExpired removes what has expired, the longest expired first, and nothing else", async () => {
  await using folder = await temporaryFolder("lmdb-expiry");
  let now = 100;
  const table = LmdbTable.open(folder.path, { nowSeconds: () => now });
  const index = { pk: "index", sk: "1" };
  await table.write([
    putOf("p", "at-200", {}, { index, expiresAtSeconds: 200 }),
    putOf("p", "at-150", {}, { index, expiresAtSeconds: 150 }),
    putOf("p", "at-300", {}, { index, expiresAtSeconds: 300 }),
    putOf("p", "prolonged", {}, { expiresAtSeconds: 160 }),
    putOf("p", "permanent", {}, { expiresAtSeconds: 160 }),
    putOf("p", "never", {}),
  ]);
  expect(await table.removeExpired(10)).toBe(0);
  await table.write([
    { op: "update", key: { pk: "p", sk: "prolonged" }, expiresAtSeconds: 1000 },
    { op: "update", key: { pk: "p", sk: "permanent" }, expiresAtSeconds: null },
  ]);
  now = 200;
  expect(await sortKeysOf(table, { pk: "p", limit: 9 })).toHaveLength(4);
  expect(await table.removeExpired(1)).toBe(1);
  // With the clock turned back, what has not been removed is there again.
  now = 100;
  expect(await sortKeysOf(table, { pk: "p", limit: 9 })).toEqual([
    "at-200",
    "at-300",
    "never",
    "permanent",
    "prolonged",
  ]);
  now = 200;
  expect(await table.removeExpired(10)).toBe(1);
  expect(await table.removeExpired(10)).toBe(0);
  now = 100;
  expect(await sortKeysOf(table, { pk: "index", index: true, limit: 9 })).toEqual(["at-300"]);
  await table.close();
});
