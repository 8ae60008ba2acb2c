import * as fc from "fast-check";
import { expect, test } from "vitest";
import { startUpstream } from "../../support/misbehaving-upstream.ts";
import { buildTarball, packagePath, publishBody } from "../../support/npm-package.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { changeRegistry, createComposite, createProxy } from "../../support/upstreams.ts";
import { servePackage, type UpstreamVersion, upstreamVersion } from "./upstream-packages.ts";

const NAME = "util";
const SOURCES = ["team", "shared"] as const;
const VERSIONS = ["1.0.0", "1.1.0", "2.0.0-rc.1", "2.0.0"] as const;
const DAY_MS = 86_400_000;

/** What happens to the package. */
type Step =
  | {
      readonly kind: "publish" | "delete" | "deprecate";
      readonly slug: string;
      readonly version: string;
    }
  | { readonly kind: "upstream"; readonly versions: readonly string[] }
  | { readonly kind: "order"; readonly upstreams: readonly string[] }
  | { readonly kind: "external"; readonly said: "allow" | "block" }
  | { readonly kind: "age"; readonly days: number }
  | { readonly kind: "wait"; readonly days: number };

const slug = fc.constantFrom(...SOURCES);
const version = fc.constantFrom(...VERSIONS);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("publish" as const), slug, version }),
  fc.record({ kind: fc.constant("publish" as const), slug, version }),
  fc.record({ kind: fc.constantFrom("delete" as const, "deprecate" as const), slug, version }),
  fc.record({ kind: fc.constant("upstream" as const), versions: fc.subarray([...VERSIONS]) }),
  fc.record({
    kind: fc.constant("order" as const),
    upstreams: fc.shuffledSubarray(["team", "shared", "mirror"], { minLength: 1 }),
  }),
  fc.record({
    kind: fc.constant("external" as const),
    said: fc.constantFrom("allow" as const, "block" as const),
  }),
  fc.record({ kind: fc.constant("age" as const), days: fc.constantFrom(0, 3) }),
  fc.record({ kind: fc.constant("wait" as const), days: fc.integer({ min: 1, max: 4 }) }),
);

/** Each step, and whether somebody reads after it, which leaves documents behind. */
const history = fc.array(fc.tuple(step, fc.boolean()), { minLength: 4, maxLength: 16 });

test("whatever happened before, a composite shows what one that was made just now shows", async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      await using world = await openWorld();
      for (const [one, isRead] of steps) {
        await world.take(one);
        if (isRead) await world.read();
      }
      const [kept, made] = await world.compare();
      expect(kept).toEqual(made);
    }),
    { numRuns: 25 },
  );
});

interface World extends AsyncDisposable {
  take(step: Step): Promise<void>;
  read(): Promise<unknown>;
  /** What the old composite shows, and a new one of the same shape; paths without their slugs. */
  compare(): Promise<readonly [string, string]>;
}

async function openWorld(): Promise<World> {
  const upstream = await startUpstream();
  const registry = await openTestRegistry();
  for (const source of SOURCES) await registry.createRegistry({ slug: source, ecosystem: "npm" });
  await createProxy(registry, {
    slug: "mirror",
    ecosystem: "npm",
    url: upstream.url,
    upstream: { documentTtlSeconds: 0, missingTtlSeconds: 0 },
  });
  let shape: Record<string, unknown> = { upstreams: ["team", "shared", "mirror"] };
  await createComposite(registry, {
    slug: "old",
    ecosystem: "npm",
    upstreams: ["team", "shared", "mirror"],
  });
  const reshape = async (edits: Record<string, unknown>): Promise<void> => {
    shape = { ...shape, ...edits };
    await changeRegistry(registry, "old", edits);
  };
  return {
    take: async (step) => {
      switch (step.kind) {
        case "publish":
          return publish(registry, step.slug, step.version);
        case "delete":
        case "deprecate":
          return withdraw(registry, step);
        case "upstream": {
          const versions = await Promise.all(step.versions.map((name) => young(registry, name)));
          return servePackage(upstream, NAME, versions);
        }
        case "order":
          return reshape({ upstreams: step.upstreams });
        case "external":
          return reshape({ packageRules: [{ pattern: "*", external: step.said }] });
        case "age":
          return reshape({ minimumAgeDays: step.days });
        case "wait":
          registry.clock.aheadMs += step.days * DAY_MS;
          return;
      }
    },
    read: () => show(registry, "old"),
    compare: async () => {
      await createComposite(registry, {
        slug: "new",
        ecosystem: "npm",
        upstreams: ["team"],
        ...shape,
      });
      return [await show(registry, "old"), await show(registry, "new")];
    },
    [Symbol.asyncDispose]: async () => {
      await registry.close();
      await upstream.close();
    },
  };
}

/** Published a day ago by the registry's clock. */
const young = (registry: TestRegistry, name: string): Promise<UpstreamVersion> =>
  upstreamVersion(NAME, name, {
    publishedAt: new Date(Date.now() + registry.clock.aheadMs - DAY_MS),
  });

async function publish(registry: TestRegistry, target: string, name: string): Promise<void> {
  const options = { name: NAME, version: name, files: { "index.js": target } };
  await registry.request(packagePath(target, NAME), {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(publishBody(options, await buildTarball(options))),
  });
}

async function withdraw(
  registry: TestRegistry,
  step: Extract<Step, { kind: "publish" | "delete" | "deprecate" }>,
): Promise<void> {
  const path = `/api/v1/registries/${step.slug}/packages/${NAME}/versions/${step.version}`;
  if (step.kind === "delete") {
    await registry.request(path, { method: "DELETE" });
  } else {
    await registry.request(`${path}/deprecation`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ message: "old" }),
    });
  }
}

async function show(registry: TestRegistry, target: string): Promise<string> {
  const forms = ["application/json", "application/vnd.npm.install-v1+json"];
  const texts = await Promise.all(
    forms.map(async (accept) => {
      const response = await registry.request(`/npm/${target}/${NAME}`, { headers: { accept } });
      return `${response.status} ${(await response.text()).replaceAll(`/npm/${target}/`, "/npm/x/")}`;
    }),
  );
  return texts.join("\n");
}
