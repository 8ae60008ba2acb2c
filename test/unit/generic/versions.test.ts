import * as fc from "fast-check";
import { compare } from "semver";
import { describe, expect, test } from "vitest";
import { compareVersions, isPrerelease } from "../../../functions/generic/versions.ts";

const sorted = (versions: readonly string[]): readonly string[] =>
  [...versions].sort(compareVersions);

describe("the order of versions", () => {
  test.each([
    [
      [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.2.0",
        "1.10.0",
      ],
    ],
    [["1", "1.1", "1.2.3.4", "1.10", "2", "10"]],
    [["v1.9", "1.10", "v2.0"]],
    [["1.0.0-rc10", "1.0.0-rc9", "1.0.0-x.1", "1.0.0-x-y"]],
    [["1.0-rc9", "1.0-rc10", "1.0", "1.0-1", "1.0-2", "1.0g"]],
    [["2023-12-31", "2024-01-02", "2024-01-15", "2024-02-01"]],
    [["nightly-9", "nightly-10", "main", "0.0.1"]],
    [["20240101000000000000000001", "20240101000000000000000002"]],
  ])("is %j", (expected) => {
    expect(sorted(expected.toReversed())).toEqual(expected);
  });

  const identifier = fc.oneof(
    fc.nat(30).map(String),
    fc.constantFrom("a", "rc9", "rc10", "x", "x-y", "0a"),
  );
  const semantic = fc
    .tuple(fc.nat(1), fc.nat(1), fc.nat(1), fc.array(identifier, { maxLength: 3 }))
    .map(
      ([major, minor, patch, pre]) =>
        `${major}.${minor}.${patch}${pre.length === 0 ? "" : `-${pre.join(".")}`}`,
    );
  const any = fc.oneof(
    semantic,
    fc.stringMatching(/^[v0-2.a+~-]{1,6}$/),
    fc.constantFrom("1.0-rc1", "1.0-1", "1.0.2g", "main", "2024-01-15", "1.0.0+b"),
  );

  test("is semver's for semantic versions", () => {
    fc.assert(
      fc.property(semantic, semantic, (a, b) => {
        expect(Math.sign(compareVersions(a, b))).toBe(compare(a, b));
      }),
    );
  });

  test("is total: no two names are equal, no circle, the same from both sides", () => {
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        expect(compareVersions(a, b) === 0).toBe(a === b);
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
        const [first = a, , last = c] = sorted([a, b, c]);
        expect(compareVersions(first, last)).toBeLessThanOrEqual(0);
        if (compareVersions(a, b) < 0 && compareVersions(b, c) < 0) {
          expect(compareVersions(a, c)).toBeLessThan(0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a pre-release", () => {
  test.each(["1.0.0-0", "1.0-rc1", "1.0.beta", "2024.1.dev3", "main-nightly", "1.0-SNAPSHOT"])(
    "is %s",
    (version) => {
      expect(isPrerelease(version)).toBe(true);
    },
  );
  test.each(["1.0.0", "1.0-1", "1.0-arch", "2024-01-15", "main", "1.0.0+beta", "devel"])(
    "is not %s",
    (version) => {
      expect(isPrerelease(version)).toBe(false);
    },
  );
});
