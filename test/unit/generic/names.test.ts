import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePackageName, parsePath, parseVersion } from "../../../functions/generic/names.ts";
import { InvalidInputError } from "../../../shared/errors.ts";

describe("a package name", () => {
  test.each(["a", "tool", "My.Tool_2~x+y-z", "@scope", "...", "x".repeat(200)])(
    "can be %j",
    (name) => {
      expect(parsePackageName(name)).toBe(name);
    },
  );

  test.each(["", ".", "..", "a/b", "a b", "ä", "a#b", "a\n", "x".repeat(201)])(
    "cannot be %j",
    (name) => {
      expect(() => parsePackageName(name)).toThrow(InvalidInputError);
    },
  );
});

describe("a version", () => {
  test.each(["1", "1.0.0-rc.1+build", "2024-01-15", "Latest", "v".repeat(128)])(
    "can be %j",
    (version) => {
      expect(parseVersion(version)).toBe(version);
    },
  );

  test.each(["", ".", "..", "latest", "1/0", "1 0", "1@0", "1#0", "v".repeat(129)])(
    "cannot be %j",
    (version) => {
      expect(() => parseVersion(version)).toThrow(InvalidInputError);
    },
  );
});

describe("a path", () => {
  test("keeps spaces, punctuation and any script, in composed form", () => {
    expect(parsePath(["a b", "#%?&'\"<>", "日本語", "e\u0301", "..."])).toBe(
      "a b/#%?&'\"<>/日本語/é/...",
    );
  });

  test.each([
    [[""]],
    [["a", ""]],
    [["."]],
    [["a", "..", "b"]],
    [["a/b"]],
    [["a\\b"]],
    [["a\0"]],
    [["a\nb"]],
    [["\u007f"]],
    [["\u0085"]],
    [["\u202etxt.exe"]],
    [["\ud800"]],
  ])("cannot hold %j", (segments) => {
    expect(() => parsePath(segments)).toThrow(InvalidInputError);
  });

  test("is at most 700 bytes, whatever its characters", () => {
    expect(parsePath(["é".repeat(350)])).toHaveLength(350);
    expect(() => parsePath(["é".repeat(351)])).toThrow(InvalidInputError);
  });

  test("is canonical: what was parsed parses to itself, and never leaves its folder", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary", minLength: 1 }), { minLength: 1 }),
        (segments) => {
          let path: string;
          try {
            path = parsePath(segments);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidInputError);
            return;
          }
          expect(parsePath(path.split("/"))).toBe(path);
          expect(
            new URL(`http://x/a/${path.split("/").map(encodeURIComponent).join("/")}`).pathname,
          ).toMatch(/^\/a\//);
        },
      ),
    );
  });
});
