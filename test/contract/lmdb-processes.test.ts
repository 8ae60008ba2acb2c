import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PEER = fileURLToPath(new URL("fixtures/lmdb-peer.ts", import.meta.url));

describe("two processes on one LmdbTable", async () => {
  const folder = await temporaryFolder("lmdb-processes");
  let table: LmdbTable;
  let peer: ChildProcess;

  beforeAll(async () => {
    table = LmdbTable.open(folder.path);
    peer = fork(PEER, [folder.path], { execArgv: [] });
    await once(peer, "message");
  });
  afterAll(async () => {
    peer.kill();
    await table.close();
    await folder[Symbol.asyncDispose]();
  });

  const ask = async (question: { pk: string; add?: number }): Promise<unknown> => {
    const answered = once(peer, "message");
    peer.send(question);
    const [answer] = await answered;
    return answer.count;
  };

  test("each sees what the other has acknowledged", async () => {
    const pk = "sees";
    const key = { pk, sk: "shared" };
    for (let round = 1; round <= 20; round += 1) {
      await table.write([{ op: "update", key, add: { count: 1 } }]);
      expect(await ask({ pk, add: 1 })).toBe(2 * round);
      const item = await table.get(key);
      expect(item?.attributes["count"]).toBe(2 * round);
    }
  });

  test("a read in the very turn of an acknowledgement is not from an older snapshot", async () => {
    const pk = "turn";
    const key = { pk, sk: "shared" };
    for (let round = 1; round <= 50; round += 1) {
      // This read and the one that follows belong to one turn of the event loop when the answer is there
      // already; lmdb by itself would serve both from one snapshot.
      const answered = once(peer, "message");
      peer.send({ pk, add: 1 });
      const older = await table.get(key);
      expect(older?.attributes["count"] ?? 0).toBeGreaterThanOrEqual(round - 1);
      // Holds this process up, without leaving the turn, until the other has certainly committed.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
      const item = await table.get(key);
      expect(item?.attributes["count"]).toBe(round);
      await answered;
    }
  });

  test("additions of both at the same time all count", async () => {
    const pk = "sum";
    const key = { pk, sk: "shared" };
    const own = Array.from({ length: 100 }, () =>
      table.write([{ op: "update", key, add: { count: 1 } }]),
    );
    await Promise.all([...own, ask({ pk, add: 100 })]);
    const item = await table.get(key);
    expect(item?.attributes["count"]).toBe(200);
  });

  test("of creators in both processes one wins", async () => {
    const other = LmdbTable.open(folder.path);
    const results = await Promise.allSettled(
      [table, other].map((one) =>
        one.write([
          {
            op: "put",
            item: { key: { pk: "one", sk: "winner" }, attributes: {} },
            conditions: [{ kind: "absent" }],
          },
        ]),
      ),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await other.close();
    await table.ping();
  });
});
