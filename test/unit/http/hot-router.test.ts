import * as fc from "fast-check";
import { TrieRouter } from "hono/router/trie-router";
import { describe, expect, it } from "vitest";
import { HotRouter } from "../../../shared/http/hot-router.ts";

const HOT = ["/npm/:registry/:package{[^/-][^/]*}", "/npm/:registry/:package{[^/-][^/]*}/-/:file"];
const ROUTES = [
  ["ALL", "/*"],
  ["GET", "/npm/:registry/-/ping"],
  ["GET", "/npm/:registry/-/package/:package/dist-tags"],
  ["GET", HOT[0] ?? ""],
  ["PUT", HOT[0] ?? ""],
  ["GET", HOT[1] ?? ""],
  ["GET", "/npm/:registry/:package{[^/-][^/]*}/:version{[^/-][^/]*}"],
  ["DELETE", "/npm/:registry/:package{[^/-][^/]*}/-/:file/-rev/:rev"],
] as const;

function found(
  router: HotRouter<string> | TrieRouter<string>,
  method: string,
  path: string,
): unknown {
  const [handlers, stash] = router.match(method, path);
  return handlers.map(([handler, params]) => [
    handler,
    Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, stash?.[Number(value)] ?? value]),
    ),
  ]);
}

function both(): readonly [HotRouter<string>, TrieRouter<string>] {
  const hot = new HotRouter<string>(HOT);
  const general = new TrieRouter<string>();
  for (const router of [hot, general]) {
    for (const [method, path] of ROUTES) router.add(method, path, `${method} ${path}`);
  }
  return [hot, general];
}

describe("HotRouter", () => {
  it("finds what the general router finds", () => {
    const [hot, general] = both();
    const segment = fc.constantFrom("npm", "r", "a", "@s%2Fb", "-", "-rev", "ping", "package", "");
    fc.assert(
      fc.property(
        fc.constantFrom("GET", "PUT", "DELETE", "POST"),
        fc.array(segment, { maxLength: 7 }),
        (method, segments) => {
          const path = `/npm/${segments.join("/")}`;
          expect(found(hot, method, path)).toEqual(found(general, method, path));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("finds a hot route with its parameters", () => {
    const [hot] = both();
    expect(found(hot, "GET", "/npm/r/@s%2Fb/-/b-1.0.0.tgz")).toEqual([
      ["ALL /*", {}],
      [`GET ${HOT[1]}`, { registry: "r", package: "@s%2Fb", file: "b-1.0.0.tgz" }],
    ]);
  });
});
