import { expect, test } from "vitest";
import { Progress } from "../../../cli/client/progress.ts";

interface Screen {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly written: string[];
  write(text: string): void;
}

function screen(options: { readonly isTTY: boolean; readonly columns?: number }): Screen {
  const written: string[] = [];
  return { columns: 100, ...options, written, write: (text) => written.push(text) };
}

const MIB = 1024 * 1024;

test("a terminal sees percentage, rate and the time that is left", () => {
  const sink = screen({ isTTY: true });
  let nowMs = 0;
  const progress = new Progress(sink, { label: "a.bin", total: 40 * MIB, clock: () => nowMs });
  nowMs = 2000;
  progress.add(10 * MIB);
  expect(sink.written.at(-1)).toContain("25%  10.0 MiB of 40.0 MiB  5.0 MiB/s  ETA 6s");
});

test("bytes that were there before count as done, but not for the rate", () => {
  const sink = screen({ isTTY: true });
  let nowMs = 0;
  const options = { label: "a.bin", total: 40 * MIB, done: 20 * MIB };
  const progress = new Progress(sink, { ...options, clock: () => nowMs });
  nowMs = 1000;
  progress.add(10 * MIB);
  expect(sink.written.at(-1)).toContain("75%  30.0 MiB of 40.0 MiB  10.0 MiB/s  ETA 1s");
});

test("the rate is that of the last seconds, so that a stall shows", () => {
  const sink = screen({ isTTY: true });
  let nowMs = 0;
  const progress = new Progress(sink, { label: "a", total: 100 * MIB, clock: () => nowMs });
  for (nowMs = 1000; nowMs <= 5000; nowMs += 1000) progress.add(10 * MIB);
  expect(sink.written.at(-1)).toContain("10.0 MiB/s");
  for (nowMs = 6000; nowMs <= 20_000; nowMs += 1000) progress.add(0);
  expect(sink.written.at(-1)).toContain("0 B/s  ETA --");
});

test("a part that has to be sent again is taken back", () => {
  const sink = screen({ isTTY: true });
  let nowMs = 0;
  const progress = new Progress(sink, { label: "a", total: 10 * MIB, clock: () => nowMs });
  nowMs = 1000;
  progress.add(10 * MIB);
  nowMs = 2000;
  progress.add(-10 * MIB);
  expect(sink.written.at(-1)).toContain("  0%  0 B of 10.0 MiB");
});

test("what is no terminal sees a whole line now and then", () => {
  const sink = screen({ isTTY: false });
  let nowMs = 0;
  const progress = new Progress(sink, {
    label: "a.bin",
    total: 100 * MIB,
    clock: () => nowMs,
  });
  for (nowMs = 1000; nowMs <= 25_000; nowMs += 1000) progress.add(MIB);
  expect(sink.written).toHaveLength(2);
  expect(sink.written[0]).toMatch(/^a\.bin: 10%.*\n$/);
  progress.clear();
  expect(sink.written).toHaveLength(2);
});

test("a line is never wider than the terminal", () => {
  for (const columns of [20, 40, 80]) {
    const sink = screen({ isTTY: true, columns });
    let nowMs = 0;
    const progress = new Progress(sink, {
      label: "a-very-long-file-name-that-does-not-fit.tar.gz",
      total: 100 * MIB,
      clock: () => nowMs,
    });
    nowMs = 1000;
    progress.add(MIB);
    expect((sink.written.at(-1) ?? "").replace("\r\u001B[2K", "").length).toBeLessThan(columns);
  }
});
