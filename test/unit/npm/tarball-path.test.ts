import { posix } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseEntryPath, requireLinkInside } from "../../../functions/npm/intake/tarball-path.ts";

const segment = fc.constantFrom("..", ".", "", "a", "package", "b.js", "C:", "\\", "\0", "…");
const path = fc.array(segment, { maxLength: 6 }).map((segments) => segments.join("/"));

test("a path that is taken lies within the folder that it is unpacked into", () => {
  fc.assert(
    fc.property(path, (name) => {
      let parsed: ReturnType<typeof parseEntryPath>;
      try {
        parsed = parseEntryPath(name);
      } catch {
        return;
      }
      const place = posix.resolve("/root", parsed.path);
      expect(place === "/root" || place.startsWith("/root/")).toBe(true);
      expect(name).not.toMatch(/\\|\0/);
    }),
    { numRuns: 1000 },
  );
});

test("a link that is taken leads to a place within the package", () => {
  fc.assert(
    fc.property(path, fc.constantFrom("link", "symlink"), (target, kind) => {
      const name = "package/sub/link";
      try {
        requireLinkInside(kind, name, target);
      } catch {
        return;
      }
      const place = posix.resolve(kind === "symlink" ? "/root/package/sub" : "/root", target);
      expect(place === "/root/package" || place.startsWith("/root/")).toBe(true);
      expect(place).not.toBe("/root");
    }),
    { numRuns: 1000 },
  );
});

test("folders, unicode and long names are taken", () => {
  expect(parseEntryPath("package/")).toEqual({ folder: "package", path: "" });
  expect(parseEntryPath("package/lib/ünï.js")).toEqual({ folder: "package", path: "lib/ünï.js" });
  expect(() => parseEntryPath("package/" + "x".repeat(5000))).toThrow(/longer than/);
  expect(() => parseEntryPath("")).toThrow(/empty/);
});
