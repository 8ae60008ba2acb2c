import { expect, test } from "vitest";
import type { Caller, PackageGrant } from "../../../shared/domain/principal.ts";
import { DEFAULT_POLICIES, type Registry } from "../../../shared/domain/registry.ts";
import { NO_ROUTING } from "../../../shared/domain/routing.ts";
import type { Scope } from "../../../shared/domain/token.ts";
import { RegistryGrant } from "../../../shared/services/access.ts";

const registry = (slug: string, kind: Registry["kind"]): Registry => ({
  id: slug,
  slug,
  ecosystem: "npm",
  kind,
  visibility: "private",
  description: "",
  emoji: "",
  colour: "",
  labels: [],
  policies: DEFAULT_POLICIES,
  routing: NO_ROUTING,
  createdAtMs: 0,
  updatedAtMs: 0,
});

interface Rights {
  readonly scopes?: readonly Scope[];
  readonly registries?: readonly string[];
  readonly packages?: readonly string[];
  readonly grants?: readonly PackageGrant[];
}

const caller = (rights: Rights): Caller => ({
  principal: {
    kind: "token",
    tokenId: "t",
    owner: "o",
    scopes: ["packages:write"],
    registries: ["team"],
    packages: [],
    expiresAtMs: 0,
    rateLimitExempt: false,
    ...rights,
  },
  address: "",
  requestId: "",
  baseUrl: "",
});

/** As a reader of composite `team` comes to registry `libs`. */
const through = (rights: Rights): RegistryGrant =>
  new RegistryGrant(registry("team", "composite"), caller(rights)).through(
    registry("libs", "source"),
  );

test("through a composite a member is read by the composite's rights, and changed by both", () => {
  expect(through({}).may("packages:read", "a")).toBe(true);
  expect(through({}).may("packages:write", "a")).toBe(false);
  expect(through({ registries: ["libs"] }).may("packages:read", "a")).toBe(false);
  expect(through({ registries: ["libs"] }).may("packages:write", "a")).toBe(false);
  expect(through({ registries: ["team", "libs"] }).may("packages:write", "a")).toBe(true);
  expect(through({ registries: ["team"], scopes: ["packages:read"] }).may("audit:read")).toBe(
    false,
  );
});

test("through a composite a token for some packages stays one for some packages", () => {
  const narrow = through({ packages: ["@acme/*"] });
  expect(narrow.may("packages:read", "@acme/core")).toBe(true);
  expect(narrow.may("packages:read", "left-pad")).toBe(false);
  expect(() => narrow.require("packages:read", "left-pad")).toThrow("left-pad");
});

test("a short-lived token for a package of the composite reaches the same package of its members", () => {
  const grants = [{ registry: "team", package: "app", scopes: ["packages:write"] }] as const;
  const short = through({ registries: [], grants });
  expect(short.may("packages:write", "app")).toBe(true);
  expect(short.may("packages:write", "other")).toBe(false);
  expect(short.may("packages:delete", "app")).toBe(false);
  // It was asked for the composite, and is of no use at the member's own door.
  const direct = new RegistryGrant(registry("libs", "source"), short.caller);
  expect(direct.may("packages:read", "app")).toBe(false);
});

test("composites in composites are read by the right to the outermost", () => {
  const inner = through({ registries: ["team"] }).through(registry("deep", "source"));
  expect(inner.may("packages:read", "a")).toBe(true);
  expect(inner.may("packages:write", "a")).toBe(false);
});
