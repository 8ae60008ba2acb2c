import { afterAll } from "vitest";
import { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { describeTableContract } from "./table.contract.ts";

const folder = await temporaryFolder("lmdb-contract");
afterAll(() => folder[Symbol.asyncDispose]());

describeTableContract("LmdbTable", async () => {
  let table = LmdbTable.open(folder.path);
  return {
    table,
    reopen: async () => {
      await table.close();
      table = LmdbTable.open(folder.path);
      return table;
    },
  };
});
