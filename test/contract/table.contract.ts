import { afterAll, beforeAll, describe } from "vitest";
import type { Table } from "../../shared/ports/table.ts";
import { describeConcurrency } from "./table/concurrency.ts";
import { describeConditions } from "./table/conditions.ts";
import { describeExpiry } from "./table/expiry.ts";
import { describeItems } from "./table/items.ts";
import { describeLimits } from "./table/limits.ts";
import { describeModel } from "./table/model.ts";
import { describePages } from "./table/pages.ts";
import { describeRanges } from "./table/ranges.ts";
import { describeTransactions } from "./table/transactions.ts";

/** A table that a suite has opened; the suite closes it. */
export interface OpenedTable {
  readonly table: Table;
  /** Closes the table and opens the same data again, where the data outlive a process. */
  readonly reopen?: () => Promise<Table>;
}

/** Where the tests find the table, which does not exist yet when they are collected. */
export interface TableUnderTest {
  readonly current: Table;
}

/** What every {@link Table} does. One table serves all tests; each works in partitions of its own. */
export function describeTableContract(name: string, openTable: () => Promise<OpenedTable>): void {
  describe(name, () => {
    let opened: OpenedTable | undefined;
    let table: Table | undefined;
    const subject: TableUnderTest = {
      get current() {
        if (table === undefined) throw new Error("the table is not open");
        return table;
      },
    };
    beforeAll(async () => {
      opened = await openTable();
      table = opened.table;
    });
    afterAll(async () => {
      await table?.close();
    });
    describeItems(subject, async () => {
      if (opened?.reopen !== undefined) table = await opened.reopen();
    });
    describeConditions(subject);
    describeTransactions(subject);
    describeLimits(subject);
    describeRanges(subject);
    describePages(subject);
    describeExpiry(subject);
    describeConcurrency(subject);
    describeModel(subject);
  });
}
