import { describe, expect, it } from "vitest";
import { chooseEncoding, matchesEtag } from "../../../shared/http/conditional.ts";

describe("If-None-Match", () => {
  it.each([
    [undefined, false],
    ['"abc"', true],
    ['W/"abc"', true],
    ['"x", W/"abc"', true],
    ["*", true],
    ["abc", false],
    ['"abcd"', false],
  ])("%j against abc is %j", (header, expected) => {
    expect(matchesEtag(header, "abc")).toBe(expected);
  });
});

describe("Accept-Encoding", () => {
  const all = new Set(["br", "gzip", "identity"] as const);
  it.each([
    [undefined, "identity"],
    ["", "identity"],
    ["gzip,deflate", "gzip"],
    ["gzip, deflate, br", "br"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["*", "br"],
    ["*;q=0", "identity"],
    ["gzip;q=nonsense", "identity"],
    ["GZIP", "gzip"],
  ])("%j gets %j", (header, expected) => {
    expect(chooseEncoding(header, all)).toBe(expected);
  });

  it("never names an encoding that is not there", () => {
    expect(chooseEncoding("br, gzip", new Set(["gzip", "identity"] as const))).toBe("gzip");
  });
});
