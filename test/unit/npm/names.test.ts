import * as fc from "fast-check";
import validatePackageName from "validate-npm-package-name";
import { expect, test } from "vitest";
import {
  canonicalPath,
  isVersion,
  parsePackageName,
  parseTag,
  parseVersion,
  tarballName,
  versionOfTarball,
} from "../../../functions/npm/names.ts";

test("a name or version of any text is taken as it is, or refused in words", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      for (const parse of [parsePackageName, parseVersion, parseTag]) {
        try {
          expect(parse(text)).toBe(text);
        } catch (error) {
          expect(String(error)).toMatch(/is not a valid|is not a version|cannot be a dist-tag/);
        }
      }
    }),
  );
});

test.each(["left-pad", "@acme/pad", "JSONStream", "http", "a.b_c-d", "@a/b.c", "1", "constructor"])(
  "%s is a name",
  (name) => {
    expect(parsePackageName(name)).toBe(name);
  },
);

test.each([
  "",
  "_a",
  ".a",
  "-",
  "a/b",
  "@a",
  "@/b",
  "@a/",
  "@a/.b",
  "a b",
  "ä",
  "node_modules",
  "a\0",
  "@a/b/c",
  "..",
  "a\\b",
])("%j is no name", (name) => {
  expect(() => parsePackageName(name)).toThrow(/not a valid package name/);
});

test("names pass exactly as the library has it, the ordinary ones without it", () => {
  const piece = fc.constantFrom(
    "a",
    "0",
    "-",
    "_",
    ".",
    "@",
    "/",
    "A",
    "~",
    "node_modules",
    "favicon.ico",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const name = pieces.join("");
      const passes = validatePackageName(name).validForOldPackages;
      if (passes) expect(parsePackageName(name)).toBe(name);
      else expect(() => parsePackageName(name)).toThrow(/not a valid package name/);
    }),
    { numRuns: 2000 },
  );
});

test.each(["1.0.0", "0.0.0", "1.0.0-beta.1", "1.0.0-0"])("%s is a version", (version) => {
  expect(isVersion(parseVersion(version))).toBe(true);
});

test.each([
  "",
  "1",
  "1.0",
  "v1.0.0",
  "=1.0.0",
  " 1.0.0",
  "1.0.0 ",
  "01.0.0",
  "1.0.0+build",
  "latest",
  "99999999999999999.0.0",
  `1.0.0-${"a".repeat(260)}`,
])("%j is no version", (version) => {
  expect(() => parseVersion(version)).toThrow(/is not a version/);
});

test("a version that npm would clean is told as a hint", () => {
  expect(() => parseVersion("v1.0.0")).toThrow('Did you mean "1.0.0"?');
});

test.each(["latest", "next", "beta-2", "v-next"])("%s is a tag", (tag) => {
  expect(parseTag(tag)).toBe(tag);
});

test.each(["", "1.0.0", "1", "x", "*", "^1", "v1", "a/b", "a b", "ä", "a".repeat(201)])(
  "%j is no tag",
  (tag) => {
    expect(() => parseTag(tag)).toThrow(/cannot be a dist-tag/);
  },
);

test("the name of a tarball tells its version", () => {
  const version = fc
    .tuple(fc.nat(), fc.nat(), fc.nat(), fc.constantFrom("", "-beta.1", "-1"))
    .map(([a, b, c, d]) => `${a}.${b}.${c}${d}`);
  fc.assert(
    fc.property(
      fc.constantFrom("pad", "@acme/pad", "pad-1.0.0", "@a/1.0.0-x"),
      version,
      (name, one) => {
        expect(versionOfTarball(name, tarballName(name, one))).toBe(one);
      },
    ),
  );
  expect(versionOfTarball("@acme/pad", "@acme/pad-1.0.0.tgz")).toBe("1.0.0");
  expect(versionOfTarball("@acme/pad", "@other/pad-1.0.0.tgz")).toBeUndefined();
});

test.each([
  ["/npm/js/@acme/pad", "/npm/js/@acme%2Fpad"],
  ["/npm/js/%40acme/pad/1.0.0", "/npm/js/@acme%2Fpad/1.0.0"],
  ["/npm/js/@acme%2fpad", "/npm/js/@acme%2fpad"],
  ["/npm/js/@acme%2fpad/1.0.0", "/npm/js/@acme%2fpad/1.0.0"],
  ["/npm/js/@acme/pad/-/pad-1.0.0.tgz", "/npm/js/@acme%2Fpad/-/pad-1.0.0.tgz"],
  ["/npm/js/@acme/pad/-/@acme/pad-1.0.0.tgz", "/npm/js/@acme%2Fpad/-/@acme%2Fpad-1.0.0.tgz"],
  ["/npm/js/-/package/@acme/pad/dist-tags/x", "/npm/js/-/package/@acme%2Fpad/dist-tags/x"],
  ["/npm/js/left-pad", "/npm/js/left-pad"],
])("%s is routed as %s", (path, expected) => {
  expect(canonicalPath(path)).toBe(expected);
});
