import { describe, expect, it } from "vitest";
import { newTokenText, parseTokenText } from "../../../shared/services/token-text.ts";

describe("token text", () => {
  it("names its id and the hash of its secret, and never the same twice", () => {
    const one = newTokenText("access");
    const two = newTokenText("access");
    expect(one.text).toMatch(/^ep_at_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/);
    expect(parseTokenText(one.text)).toEqual({ id: one.id, secretSha256: one.secretSha256 });
    expect(one.text).not.toBe(two.text);
    expect(one.hint).not.toContain(one.text.slice(-20));
  });

  it("is refused without a look-up when a character is wrong", () => {
    const { text } = newTokenText("session");
    for (let position = 6; position < text.length; position++) {
      const other = text[position] === "x" ? "y" : "x";
      expect(
        parseTokenText(text.slice(0, position) + other + text.slice(position + 1)),
      ).toBeUndefined();
    }
  });

  it.each(["", "ep_", "ep_at__", "ep_xx_000000000000_0", "x".repeat(10_000)])(
    "is not found in %j",
    (text) => {
      expect(parseTokenText(text)).toBeUndefined();
    },
  );
});
