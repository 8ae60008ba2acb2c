import { describe, expect, it } from "vitest";
import { credentialsOf } from "../../../shared/http/credentials.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

describe("credentials", () => {
  it.each([
    [undefined, undefined],
    ["", undefined],
    ["Bearer ep_at_x", "ep_at_x"],
    ["bearer ep_at_x", "ep_at_x"],
    [basic("anyone:ep_at_x"), "ep_at_x"],
    [basic("ep_at_x:"), "ep_at_x"],
    [basic("ep_at_x"), "ep_at_x"],
    [basic("__token__:with:colons"), "with:colons"],
    ["ep_at_x", "ep_at_x"],
    ["Digest username=x", ""],
    [`Bearer ${"x".repeat(5000)}`, ""],
  ])("of %j are %j", (header, expected) => {
    expect(credentialsOf(new Headers(header === undefined ? {} : { authorization: header }))).toBe(
      expected,
    );
  });
});
