import { describe, expect, test } from "vitest";
import { ABBREVIATED, openNpmRegistry } from "./npm-registry.ts";

describe("a publish", () => {
  test("makes a package that can be read", async () => {
    await using npm = await openNpmRegistry();
    const answer = await npm.publish({ name: "left-pad", version: "1.0.0", manifest: { description: "pads" } });
    expect(answer.json).toEqual({ ok: true });
    expect(answer.status).toBe(201);
    console.log(await npm.send("/left-pad"));
    console.log(await npm.send("/left-pad", { headers: ABBREVIATED }));
  });
});
