import { expect, test } from "vitest";
import { openLocalHome } from "../../../cli/serve/local-home.ts";
import { LmdbTable } from "../../../shared/adapters/lmdb/lmdb-table.ts";
import { putOf } from "../../contract/table/builders.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("one round of the worker removes all expired rows, so that they never come faster than they go", async () => {
  await using folder = await temporaryFolder("local-home");
  const home = await openLocalHome(folder.path);
  const rows = Array.from({ length: 2500 }, (_, index) =>
    putOf("p", String(index), {}, { expiresAtSeconds: 1 }),
  );
  while (rows.length > 0) await home.table.write(rows.splice(0, 100));
  for (const task of home.tasks) await task.run();
  await home.table.close();
  const table = LmdbTable.open(`${folder.path}/table`);
  expect(await table.removeExpired(1)).toBe(0);
  await table.close();
});
