import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { InvalidCursorError, type Query } from "../../../shared/ports/table.ts";
import type { TableUnderTest } from "../table.contract.ts";
import { freshPartition, pagesOf, putOf, rejectionOf, sortKeysOf, writeAll } from "./builders.ts";

const ROWS = 40;
const ROW_BYTES = 100_000;

/** Pages end after 1 MB, and cursors go on exactly where their page ended. */
export function describePages(table: TableUnderTest): void {
  describe("pages", () => {
    const pk = freshPartition();
    const indexPk = `${pk}#index`;
    const sortKeys = Array.from({ length: ROWS }, (_, at) => `row#${String(at).padStart(2, "0")}`);

    beforeAll(async () => {
      const bytes = new Uint8Array(ROW_BYTES);
      // Every index key serves two items, so that pages also end between equal index keys.
      const puts = sortKeys.map((sk, at) =>
        putOf(
          pk,
          sk,
          { bytes },
          { index: { pk: indexPk, sk: `i#${String(at >> 1).padStart(2, "0")}` } },
        ),
      );
      await writeAll(table.current, [...puts, putOf(pk, "other"), putOf(`${pk}!`, "row#99")], 20);
    });

    const queries: readonly (readonly [string, Query])[] = [
      ["the table", { pk, range: { prefix: "row#" }, limit: 1000 }],
      ["the table in small pages", { pk, range: { prefix: "row#" }, limit: 3 }],
      ["the index", { pk: indexPk, index: true, limit: 1000 }],
      ["the index in small pages", { pk: indexPk, index: true, limit: 3 }],
    ];

    test.each(queries)("all pages of %s have every row once, in order", async (_where, query) => {
      for (const descending of [false, true]) {
        const pages = await pagesOf(table.current, { ...query, descending });
        expect(pages.length).toBeGreaterThan(3);
        for (const page of pages) expect(page.items.length).toBeLessThanOrEqual(query.limit);
        const items = pages.flatMap((page) => page.items);
        const order = items.map((item) =>
          query.index === true ? (item.index?.sk ?? "") : item.key.sk,
        );
        const ascending = order.toSorted();
        expect(order).toEqual(descending ? ascending.toReversed() : ascending);
        expect(items.map((item) => item.key.sk).toSorted()).toEqual(sortKeys);
      }
    });

    test("a page has at most 1 MB", async () => {
      for (const [, query] of queries) {
        const page = await table.current.query(query);
        expect(page.items.length * ROW_BYTES).toBeLessThanOrEqual(1024 * 1024);
        expect(page.items.length).toBeGreaterThan(0);
        expect(page.cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      }
    });

    test("a cursor goes on although the item it ended with is gone", async () => {
      const own = freshPartition();
      const index = (sk: string) => ({ index: { pk: `${own}#index`, sk } });
      await table.current.write(["a", "b", "c", "d"].map((sk) => putOf(own, sk, {}, index(sk))));
      for (const query of [{ pk: own }, { pk: `${own}#index`, index: true }]) {
        const { cursor } = await table.current.query({ ...query, limit: 2 });
        if (cursor === undefined) throw new Error("there is no cursor");
        await table.current.write([{ op: "delete", key: { pk: own, sk: "b" } }]);
        const next = await table.current.query({ ...query, limit: 2, cursor });
        expect(next.items.map((item) => item.key.sk)).toEqual(["c", "d"]);
        await table.current.write([putOf(own, "b", {}, index("b"))]);
      }
    });

    test("a cursor of another query is refused", async () => {
      const query: Query = { pk, range: { from: "row#01", to: "row#30" }, limit: 2 };
      const { cursor } = await table.current.query(query);
      const indexQuery: Query = { pk: indexPk, index: true, limit: 2 };
      const { cursor: indexCursor } = await table.current.query(indexQuery);
      if (cursor === undefined || indexCursor === undefined) throw new Error("there is no cursor");
      await table.current.query({ ...query, limit: 7, cursor });
      const others: readonly Query[] = [
        { ...query, pk: `${pk}!`, cursor },
        { ...query, descending: true, cursor },
        { ...query, range: { from: "row#01" }, cursor },
        { ...query, range: { from: "row#10", to: "row#30" }, cursor },
        { ...query, index: true, cursor },
        { ...query, cursor: indexCursor },
        { ...indexQuery, cursor },
        { ...indexQuery, pk, cursor: indexCursor },
      ];
      for (const other of others) {
        expect(await rejectionOf(table.current.query(other))).toBeInstanceOf(InvalidCursorError);
      }
      for (const altered of [`${cursor}=`, ` ${cursor}`, `${cursor}\n`, `${cursor}AA`, ""]) {
        const attempt = table.current.query({ ...query, cursor: altered });
        expect(await rejectionOf(attempt), altered).toBeInstanceOf(InvalidCursorError);
      }
    });

    test("whatever follows a true fingerprint, a cursor stays inside its query", async () => {
      const range = { from: "row#05", before: "row#09" };
      const inside = ["row#05", "row#06", "row#07", "row#08"];
      const query: Query = { pk, range, limit: 1 };
      const { cursor } = await table.current.query(query);
      if (cursor === undefined) throw new Error("there is no cursor");
      const fingerprint = cursor.slice(0, 22);
      const forged = (position: string) =>
        fingerprint + Buffer.from(position, "utf8").toString("base64url");
      for (const position of [
        "row#04",
        "row#09",
        "other",
        "a",
        "\u{10FFFF}",
        "",
        "row#06\0",
        "\0",
      ]) {
        const attempt = table.current.query({ ...query, cursor: forged(position) });
        expect(await rejectionOf(attempt), position).toBeInstanceOf(InvalidCursorError);
      }
      const within = await sortKeysOf(table.current, { ...query, cursor: forged("row#06") });
      expect(within.every((sk) => inside.includes(sk))).toBe(true);
    });

    test("no text whatever makes a query fail otherwise than by refusal", async () => {
      const { cursor = "" } = await table.current.query({ pk, limit: 1 });
      const hostile = fc.oneof(
        fc.string({ unit: "binary" }),
        fc.base64String(),
        fc.string().map((text) => cursor.slice(0, 22) + text),
        fc
          .uint8Array()
          .map((bytes) => cursor.slice(0, 22) + Buffer.from(bytes).toString("base64url")),
        fc.constantFrom(
          "",
          `${cursor}=`,
          `${cursor} `,
          `${cursor}A`,
          cursor.slice(0, -1),
          "A".repeat(20_000),
        ),
      );
      await fc.assert(
        fc.asyncProperty(hostile, fc.boolean(), async (text, index) => {
          try {
            const page = await table.current.query({ pk, index, limit: 1, cursor: text });
            expect(page.items.every((item) => item.key.pk === pk)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidCursorError);
          }
        }),
        { numRuns: 200 },
      );
    });
  });
}
