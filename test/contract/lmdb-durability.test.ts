import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import { describeWith } from "../support/programs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const WRITER = fileURLToPath(new URL("fixtures/lmdb-writer.ts", import.meta.url));
const PARTS = 5;

async function writeUntilKilled(folder: string, first: number): Promise<number[]> {
  const child = spawn(process.execPath, [WRITER, folder, String(first), "8"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: number[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => acknowledged.push(Number(line.replace("acknowledged ", ""))));
  const closed = once(lines, "close");
  await once(lines, "line");
  await delay(Math.random() * 150);
  child.kill("SIGKILL");
  await closed;
  return acknowledged;
}

async function partsOf(table: LmdbTable, number: number): Promise<number> {
  const page = await table.query({ pk: `transaction#${number}`, limit: 100 });
  return page.items.length;
}

describe("an LmdbTable whose process is killed", () => {
  test("has lost nothing that was acknowledged, and has no half transaction", async () => {
    await using folder = await temporaryFolder("lmdb-kill");
    const acknowledged: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const first = round * 1_000_000;
      const numbers = await writeUntilKilled(folder.path, first);
      expect(numbers.length).toBeGreaterThan(0);
      acknowledged.push(...numbers);
      const table = LmdbTable.open(folder.path);
      const found = new Set<number>();
      // Beyond the last acknowledged there may be some that were under way.
      const last = Math.max(...numbers);
      for (let number = first; number <= last + 20; number += 1) {
        const parts = await partsOf(table, number);
        expect([0, PARTS]).toContain(parts);
        if (parts === PARTS) found.add(number);
      }
      expect(numbers.filter((number) => !found.has(number))).toEqual([]);
      await table.close();
    }
    const table = LmdbTable.open(folder.path);
    let whole = 0;
    let entries = 0;
    let cursor: string | undefined;
    do {
      const query = { pk: "parts", index: true, limit: 1000 };
      const page = await table.query({ ...query, ...(cursor !== undefined && { cursor }) });
      entries += page.items.length;
      cursor = page.cursor;
    } while (cursor !== undefined);
    for (const number of acknowledged) whole += Number((await partsOf(table, number)) === PARTS);
    expect(whole).toBe(acknowledged.length);
    const counter = await table.get({ pk: "counter", sk: "counter" });
    expect(entries).toBe(Number(counter?.attributes["transactions"]) * PARTS);
    await table.close();
  });
});

// A killed process proves only that the kernel had the data. What reaches the disk, and when, is in the
// system calls: pages written, fdatasync, then the meta page through a descriptor opened with O_DSYNC.
describeWith("strace", "what an LmdbTable asks of the kernel", (strace) => {
  async function trace(writers: number, transactions: number): Promise<string[]> {
    await using folder = await temporaryFolder("lmdb-strace");
    const log = `${folder.path}/strace.log`;
    const calls = "trace=openat,write,writev,pwrite64,pwritev,fdatasync,fsync";
    const script = [process.execPath, WRITER, `${folder.path}/data`, "0"];
    const own = ["-f", "-e", calls, "-o", log, ...script, String(writers), String(transactions)];
    await promisify(execFile)(strace, own);
    const lines = await readFile(log, "utf8");
    return lines.split("\n");
  }

  test("a transaction is acknowledged after its pages and its meta page are on the disk", async () => {
    const lines = await trace(1, 20);
    const meta = lines.findLast((line) => /data\.mdb.*O_DSYNC/.test(line));
    const descriptor = / = (\d+)$/.exec(meta ?? "")?.[1];
    if (descriptor === undefined) throw new Error("no descriptor with O_DSYNC was opened");
    // A meta page, 128 bytes written, makes a transaction visible; it must not go ahead of the flush.
    const early = lines.filter(
      (line) => line.includes(", 128, ") && !line.includes(`64(${descriptor},`),
    );
    expect(early).toEqual([]);
    let pages = "not written";
    let acknowledged = 0;
    for (const line of lines) {
      if (line.includes(`pwrite64(${descriptor},`)) {
        pages = pages === "flushed" ? "committed" : pages;
      } else if (/(pwrite64|pwritev|writev)\(/.test(line)) pages = "written";
      else if (/f(data)?sync.* = 0$/.test(line) && pages === "written") pages = "flushed";
      else if (line.includes("acknowledged")) {
        expect(pages, line).toBe("committed");
        pages = "not written";
        acknowledged += 1;
      }
    }
    expect(acknowledged).toBe(20);
  });

  test("transactions that arrive together share a flush", async () => {
    const lines = await trace(8, 200);
    const flushes = lines.filter((line) => /f(data)?sync\(/.test(line)).length;
    expect(flushes).toBeLessThan(100);
    expect(lines.filter((line) => line.includes("acknowledged"))).toHaveLength(200);
  });
});
