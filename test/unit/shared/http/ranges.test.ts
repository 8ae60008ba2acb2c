import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  contentRange,
  parseRange,
  unsatisfiedContentRange,
} from "../../../../shared/http/ranges.ts";

const range = (start: number, end: number) => ({ kind: "range", range: { start, end } });
const whole = { kind: "whole" };
const unsatisfiable = { kind: "unsatisfiable" };

describe("parseRange", () => {
  it.each([
    ["bytes=0-0", range(0, 0)],
    ["bytes=0-9", range(0, 9)],
    ["bytes=9-9", range(9, 9)],
    ["bytes=3-", range(3, 9)],
    ["bytes=-3", range(7, 9)],
    ["bytes=-10", range(0, 9)],
    ["bytes=-11", range(0, 9)],
    ["bytes=5-99999999999999999999999", range(5, 9)],
    ["Bytes=1-2", range(1, 2)],
    ["bytes= 1-2 ", range(1, 2)],
    ["bytes=10-", unsatisfiable],
    ["bytes=10-20", unsatisfiable],
    ["bytes=99999999999999999999999-", unsatisfiable],
    ["bytes=-0", unsatisfiable],
    [undefined, whole],
    ["", whole],
    ["bytes=-", whole],
    ["bytes=", whole],
    ["bytes=5-4", whole],
    ["bytes=0-1,3-4", whole],
    ["bytes=a-b", whole],
    ["bytes=0x1-2", whole],
    ["bytes=1.5-2", whole],
    ["bytes=+1-2", whole],
    ["bytes 0-1", whole],
    ["items=0-1", whole],
  ])("reads %j of ten bytes", (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected);
  });

  it("gives an empty representation whole, or says that nothing can be had", () => {
    expect(parseRange("bytes=-5", 0)).toEqual(whole);
    expect(parseRange("bytes=0-", 0)).toEqual(unsatisfiable);
  });

  it("selects the same bytes as a slice, wherever there are any", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1200), fc.nat(1200), (sizeBytes, start, length) => {
        const parsed = parseRange(`bytes=${start}-${start + length}`, sizeBytes);
        const last = Math.min(start + length, sizeBytes - 1);
        expect(parsed).toEqual(start < sizeBytes ? range(start, last) : unsatisfiable);
      }),
    );
  });

  it("never gives a range outside the representation, whatever is asked", () => {
    const header = fc.oneof(
      fc.string(),
      fc.stringMatching(/^bytes=[0-9]{0,25}-[0-9]{0,25}(,[0-9]*-[0-9]*)?$/),
    );
    fc.assert(
      fc.property(header, fc.nat(), (text, sizeBytes) => {
        const parsed = parseRange(text, sizeBytes);
        if (parsed.kind !== "range") return;
        const { start, end } = parsed.range;
        expect(Number.isSafeInteger(start) && Number.isSafeInteger(end)).toBe(true);
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeGreaterThanOrEqual(start);
        expect(end).toBeLessThan(sizeBytes);
      }),
    );
  });
});

describe("Content-Range", () => {
  it("names the bytes of a 206 and the size of a 416", () => {
    expect(contentRange({ start: 2, end: 5 }, 10)).toBe("bytes 2-5/10");
    expect(unsatisfiedContentRange(10)).toBe("bytes */10");
  });
});
