import { expect, test } from "vitest";
import { type Json, openNpmRegistry } from "./npm-registry.ts";

async function withPackages() {
  const npm = await openNpmRegistry();
  for (const [name, manifest] of [
    [
      "@acme/button",
      {
        description: "A round button",
        keywords: ["ui", "widget"],
        repository: { type: "git", url: "git+https://git.example/b.git" },
        homepage: "https://b.example",
        author: { name: "Ann" },
      },
    ],
    ["@acme/slider", { description: "Slides", keywords: ["ui"] }],
    ["button-factory", { description: "Makes them", homepage: "javascript:alert(1)" }],
    ["left-pad", { description: "Pads on the left" }],
  ] as const) {
    await npm.publish({ name, version: "1.0.0", manifest });
  }
  return npm;
}

const names = (json: Json): string[] => json.objects.map((one: Json) => one.package.name);

test.each<[string, string[]]>([
  ["text=button", ["@acme/button", "button-factory"]],
  ["text=left-pad", ["left-pad"]],
  ["text=round%20button", ["@acme/button"]],
  ["text=scope:acme", ["@acme/button", "@acme/slider"]],
  ["text=scope:@acme%20slider", ["@acme/slider"]],
  ["text=button%20scope:acme", ["@acme/button"]],
  ["text=keywords:ui", ["@acme/button", "@acme/slider"]],
  ["text=keywords:widget,none", ["@acme/button"]],
  ["text=button%20author:x%20not:unstable%20is:insecure", ["@acme/button", "button-factory"]],
  ["text=nothing", []],
  ["text=", ["@acme/button", "@acme/slider", "button-factory", "left-pad"]],
  ["", ["@acme/button", "@acme/slider", "button-factory", "left-pad"]],
  ["text=&size=2&from=1", ["@acme/slider", "button-factory"]],
  ["text=button&from=1", ["@acme/button"]],
])("?%s finds %j", async (query, expected) => {
  await using npm = await withPackages();
  const answer = await npm.send(`/-/v1/search?${query}`);
  expect(answer.status, answer.text).toBe(200);
  expect(names(answer.json).sort()).toEqual(expected.sort());
});

test("a find has the shape that clients read", async () => {
  await using npm = await withPackages();
  const { json } = await npm.send(
    "/-/v1/search?text=round&size=20&from=0&quality=0.65&popularity=0.98&maintenance=0.5",
  );
  expect(json).toMatchObject({ total: 1, time: expect.stringMatching(/^\d{4}-/) });
  expect(json.objects[0]).toMatchObject({
    package: {
      name: "@acme/button",
      scope: "acme",
      version: "1.0.0",
      description: "A round button",
      keywords: ["ui", "widget"],
      date: expect.stringMatching(/^\d{4}-/),
      links: { repository: "https://git.example/b.git", homepage: "https://b.example" },
      author: { name: "Ann" },
      publisher: { username: "admin" },
      maintainers: [{ username: "admin" }],
    },
    score: { final: expect.any(Number), detail: { quality: 1, popularity: 1, maintenance: 1 } },
    searchScore: expect.any(Number),
  });
});

test("totals count everything, pages do not overlap, and links lead to the web only", async () => {
  await using npm = await withPackages();
  const first = (await npm.send("/-/v1/search?text=&size=3")).json;
  const second = (await npm.send("/-/v1/search?text=&size=3&from=3")).json;
  expect([first.total, second.total]).toEqual([4, 4]);
  expect(new Set([...names(first), ...names(second)]).size).toBe(4);
  const factory = (await npm.send("/-/v1/search?text=factory")).json.objects[0].package;
  expect(factory.links).not.toHaveProperty("homepage");
});

test.each(["size=x", "size=-1", "from=1.5", "size=1e400"])("%s is refused", async (query) => {
  await using npm = await withPackages();
  expect((await npm.send(`/-/v1/search?text=a&${query}`)).status).toBe(400);
});

test("what was unpublished is not found", async () => {
  await using npm = await withPackages();
  await npm.send("/left-pad/-rev/1-0", { method: "DELETE" });
  expect(names((await npm.send("/-/v1/search?text=left")).json)).toEqual([]);
  expect(names((await npm.send("/-/v1/search?text=")).json)).not.toContain("left-pad");
});
