import * as fc from "fast-check";
import type { Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";
import { expect, test } from "vitest";
import { createNpmApp } from "../../functions/npm/app.ts";
import { createPypiApp } from "../../functions/pypi/app.ts";
import { openTestRegistry } from "../support/services.ts";

const SEGMENTS = {
  npm: ["npm", "r", "a", "@s%2Fb", "-", "-rev", "1.0.0", "a-1.0.0.tgz", "package", "ping", ""],
  pypi: ["pypi", "r", "simple", "files", "legacy", "integrity", "json", "demo", "1.0", "d.whl", ""],
};

/** The route that answers, as `nameOf` has it, with the values of its parameters; `undefined` without one. */
function answering<T>(
  router: Router<T>,
  nameOf: (handler: T) => string,
  asked: readonly [string, string],
): unknown {
  const [handlers, stash] = router.match(...asked);
  const found = handlers.find(([handler]) => nameOf(handler) !== "ALL /*");
  if (found === undefined) return undefined;
  const [handler, params] = found;
  const values = Object.entries(params).map(([name, value]) => [
    name,
    stash?.[Number(value)] ?? value,
  ]);
  return { name: nameOf(handler), params: Object.fromEntries(values) };
}

test.each(["npm", "pypi"] as const)("%s's hot routes take no path from another", async (name) => {
  const registry = await openTestRegistry();
  const { router, routes } = { npm: createNpmApp, pypi: createPypiApp }[name](registry.services);
  const general = new TrieRouter<string>();
  for (const { method, path } of routes) general.add(method, path, `${method} ${path}`);
  fc.assert(
    fc.property(
      fc.constantFrom("GET", "POST", "PUT", "DELETE"),
      fc.array(fc.constantFrom(...SEGMENTS[name]), { maxLength: 7 }),
      (method, segments) => {
        const asked = [method, `/${name}/${segments.join("/")}`] as const;
        const found = answering(router, ([, { method, path }]) => `${method} ${path}`, asked);
        expect(found).toEqual(answering(general, (route) => route, asked));
      },
    ),
    { numRuns: 5000 },
  );
  await registry.close();
});
