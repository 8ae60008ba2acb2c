import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareVersions, isPrerelease, isSnapshot } from "../../../functions/maven/versions.ts";

// In Maven's own order: the output of `ComparableVersion` of Maven 3.8.7 for these.
const ASCENDING = [
  "1-alpha",
  "1.0-alpha-1",
  "1.0-beta2",
  "1.0-m3",
  "1.0-rc1",
  "1.0-SNAPSHOT",
  "1.0",
  "1.0-sp",
  "1.0-a",
  "1.0-jre",
  "1.0x",
  "1-1",
  "1.0.1",
  "1.9",
  "1.10",
  "2.0",
  "10.0",
  "20040616",
  "99999999999999999999.1",
] as const;

const version = fc.stringMatching(/^[0-9A-Za-z]{1,3}(?:[.-][0-9a-z]{1,3}){0,4}$/);

describe("the order of Maven versions", () => {
  test("is that of ComparableVersion", () => {
    for (const [position, lower] of ASCENDING.entries()) {
      for (const higher of ASCENDING.slice(position + 1)) {
        expect([lower, higher, compareVersions(lower, higher) < 0]).toEqual([lower, higher, true]);
        expect(compareVersions(higher, lower)).toBeGreaterThan(0);
      }
    }
  });

  test.each([
    ["1", "1.0.0"],
    ["1.0-ga", "1.0"],
    ["1.0.RELEASE", "1.0-final"],
    ["1.0-cr1", "1.0-rc1"],
    ["1.0a1", "1.0-alpha-1"],
  ])("takes %s and %s for the same", (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
  });

  test("does not depend on who is asked first", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)));
        expect(compareVersions(a, a)).toBe(0);
      }),
    );
  });

  test("knows snapshots and pre-releases", () => {
    expect(["1.0-SNAPSHOT", "SNAPSHOT"].every(isSnapshot)).toBe(true);
    expect(["1.0-snapshot", "1.0"].some(isSnapshot)).toBe(false);
    expect(["1.0-SNAPSHOT", "1.0-beta-2", "2.0.0.RC1", "1.0-m3"].every(isPrerelease)).toBe(true);
    expect(["1.0", "31.1-jre", "1.0.RELEASE", "2.13-arch"].some(isPrerelease)).toBe(false);
  });
});
