import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesAny, matchesPattern } from "../../../shared/domain/pattern.ts";

describe("patterns", () => {
  it.each([
    ["*", "anything/at all", true],
    ["@acme/*", "@acme/ui", true],
    ["@acme/*", "@acme", false],
    ["team-*-prod", "team-a-prod", true],
    ["team-*-prod", "team-a-prod2", false],
    ["a.c", "abc", false],
    ["", "", true],
    ["", "a", false],
  ])("%j on %j is %j", (pattern, text, expected) => {
    expect(matchesPattern(pattern, text)).toBe(expected);
  });

  it("agree with a regular expression", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 10 });
    const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 });
    fc.assert(
      fc.property(letters, text, (pattern, candidate) => {
        const expression = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
        expect(matchesPattern(pattern, candidate)).toBe(expression.test(candidate));
      }),
    );
  });

  it("stay fast on what makes backtracking matchers hang", () => {
    expect(matchesPattern("*a".repeat(200), "a".repeat(199))).toBe(false);
  });

  it("restrict nothing when there are none", () => {
    expect(matchesAny([], "anything")).toBe(true);
    expect(matchesAny(["a", "b*"], "bc")).toBe(true);
    expect(matchesAny(["a", "b*"], "c")).toBe(false);
  });
});
