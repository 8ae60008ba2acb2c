import { expect, test } from "vitest";
import {
  formatBytes,
  formatDuration,
  formatFields,
  formatTable,
  printable,
} from "../../../cli/client/text.ts";

test("bytes are shown in the largest unit that keeps the number above one", () => {
  expect([0, 1023, 1024, 1536, 104_857_600, 1_048_575, 5 * 1024 ** 4].map(formatBytes)).toEqual([
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "100 MiB",
    "1.0 MiB",
    "5.0 TiB",
  ]);
});

test("durations are shown in the two largest units", () => {
  expect([0.4, 59, 65, 3600, 12_000].map(formatDuration)).toEqual([
    "0s",
    "59s",
    "1m05s",
    "1h00m",
    "3h20m",
  ]);
});

test("the columns of a table line up, also behind wide characters", () => {
  const table = formatTable(
    ["NAME", "NOTE"],
    [
      ["📦 a", "x"],
      ["日本語", "y"],
      ["plain-name", ""],
    ],
  );
  expect(table.split("\n")).toEqual([
    "NAME        NOTE",
    "📦 a        x",
    "日本語      y",
    "plain-name",
  ]);
});

test("escape sequences in the text of others do not reach the terminal", () => {
  const hostile = "nice\u001B[2Jpackage\u0007\u202Egpj.exe";
  expect(printable(hostile)).toBe("nice?[2Jpackage??gpj.exe");
  expect(formatTable(["NAME"], [[hostile]])).not.toContain("\u001B");
  expect(formatFields([["Name", hostile]])).not.toContain("\u001B");
});

test("fields without a value are left out", () => {
  expect(
    formatFields([
      ["Name", "a"],
      ["Description", ""],
      ["Latest", "1.0"],
    ]),
  ).toBe("Name:    a\nLatest:  1.0");
});
