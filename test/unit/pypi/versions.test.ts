import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  compareVersions,
  isPrerelease,
  parseVersion,
  spellingsOf,
} from "../../../functions/pypi/versions.ts";

const number = fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String);
const anyVersion = fc
  .record({
    epoch: fc.option(
      number.map((n) => `${n}!`),
      { nil: "" },
    ),
    release: fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(".")),
    pre: fc.option(
      fc.tuple(fc.constantFrom("a", "b", "rc", ".alpha", "-beta-", "_c.", "preview"), number),
      { nil: undefined },
    ),
    post: fc.option(fc.tuple(fc.constantFrom(".post", "-", "rev", "_r"), number), {
      nil: undefined,
    }),
    dev: fc.option(fc.tuple(fc.constantFrom(".dev", "-dev_", "dev"), number), { nil: undefined }),
    local: fc.option(
      fc.array(fc.stringMatching(/^[a-z0-9]{1,5}$/), { minLength: 1, maxLength: 3 }),
      { nil: undefined },
    ),
  })
  .map(({ epoch, release, pre = [], post = [], dev = [], local }) =>
    [
      epoch,
      release,
      ...pre,
      ...post,
      ...dev,
      local === undefined ? "" : `+${local.join("-")}`,
    ].join(""),
  );

/** The list of PEP 440 itself, and what its tests have beside it. */
const ASCENDING = [
  "1.dev0",
  "1.0.dev456",
  "1.0a1",
  "1.0a2.dev456",
  "1.0a12.dev456",
  "1.0a12",
  "1.0b1.dev456",
  "1.0b2",
  "1.0b2.post345.dev456",
  "1.0b2.post345",
  "1.0rc1.dev456",
  "1.0rc1",
  "1.0",
  "1.0+abc.5",
  "1.0+abc.7",
  "1.0+5",
  "1.0.post456.dev34",
  "1.0.post456",
  "1.0.15",
  "1.1.dev1",
  "1!0.1",
] as const;

test("versions stand in the order of PEP 440", () => {
  for (const [position, version] of ASCENDING.entries()) {
    for (const later of ASCENDING.slice(position + 1)) {
      expect(compareVersions(version, later), `${version} < ${later}`).toBeLessThan(0);
      expect(compareVersions(later, version)).toBeGreaterThan(0);
    }
  }
});

test.each([
  ["v1.0", "1.0"],
  ["1.0-RC.1", "1.0rc1"],
  ["01.00", "1.0"],
  ["1.0-1", "1.0.post1"],
  ["1.0.r4", "1.0.post4"],
  ["1.0c", "1.0rc0"],
  ["1.0-dev", "1.0.dev0"],
  ["1.0+Ubuntu-1_a", "1.0+ubuntu.1.a"],
  ["0!1", "1"],
])("%s is %s", (text, normal) => {
  expect(parseVersion(text)).toBe(normal);
});

test.each(["", "1.0.", "french toast", "1.0+a+b", "1..0", "1.0\n2", "-1", "9".repeat(200)])(
  "%j is no version",
  (text) => {
    expect(() => parseVersion(text)).toThrow(/PEP 440/);
  },
);

test("the normal form of a version is its own, and the same version", () => {
  fc.assert(
    fc.property(anyVersion, (text) => {
      fc.pre(text.length <= 110);
      const normal = parseVersion(text);
      expect(parseVersion(normal)).toBe(normal);
      expect(compareVersions(text, normal)).toBe(0);
    }),
  );
});

test("the order is total: antisymmetric and transitive", () => {
  fc.assert(
    fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
      const [x = "", y = "", z = ""] = [a, b, c].sort(compareVersions);
      expect(compareVersions(x, y)).toBeLessThanOrEqual(0);
      expect(compareVersions(y, z)).toBeLessThanOrEqual(0);
      expect(compareVersions(x, z)).toBeLessThanOrEqual(0);
    }),
  );
});

test("all spellings of a release are the same version", () => {
  expect(spellingsOf("1.0rc1").slice(0, 3)).toEqual(["1.0rc1", "1rc1", "1.0.0rc1"]);
  fc.assert(
    fc.property(anyVersion, (text) => {
      fc.pre(text.length <= 110);
      for (const spelling of spellingsOf(parseVersion(text))) {
        expect(compareVersions(spelling, text)).toBe(0);
      }
    }),
  );
});

test("pre-releases and development releases are what installers leave out", () => {
  expect(["1.0a1", "1.0.dev1", "1.0.post1.dev2"].every(isPrerelease)).toBe(true);
  expect(["1.0", "1.0.post1", "1!2.0+x"].some(isPrerelease)).toBe(false);
});
