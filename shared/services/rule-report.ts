import { type PackageRule, type Routing, ruleFor } from "../domain/routing.ts";
import type { Registry } from "../domain/registry.ts";
import { listPackagesQuery, packageKey } from "../records/packages.ts";
import type { PageOf, PageOptions } from "../records/pages.ts";
import { InvalidInputError } from "../errors.ts";
import type { RegistryGrant } from "./access.ts";
import { editRouting } from "./registry-routing.ts";
import type { Ecosystems, Stores } from "./stores.ts";
import { type Leaf, type Leaves, routesFor } from "./views/routes.ts";

type Answer = "allow" | "block";

/** What becomes of a name: whether it can be published, and whether sources and proxies are asked for it. */
export interface NameDecision {
  readonly publish: Answer;
  readonly internal: Answer;
  readonly external: Answer;
}

export interface RuleChange {
  readonly packageName: string;
  readonly before: NameDecision;
  readonly after: NameDecision;
}

/** Names that are looked at for one page. */
const MAX_NAMES = 1_000;

/** What other rules would change for the packages that there are, before they are saved. */
export class RuleReports {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #leaves: Leaves;

  constructor(stores: Stores, ecosystems: Ecosystems, leaves: Leaves) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#leaves = leaves;
  }

  /**
   * Packages behind the registry whose answer would be another, by name: those of its sources, and those that its
   * proxies have copies of. A page may be short, or empty, and have a cursor.
   *
   * @throws {InvalidInputError} for rules that could not be saved, and a cursor that is not one.
   */
  async report(
    grant: RegistryGrant,
    rules: readonly PackageRule[],
    { limit, cursor = "" }: PageOptions,
  ): Promise<PageOf<RuleChange>> {
    grant.require("registries:write");
    grant.require("packages:read");
    const { registry } = grant;
    const { canonicalPattern = (pattern: string) => pattern } =
      this.#ecosystems[registry.ecosystem];
    const after = editRouting(
      registry.kind,
      registry.routing,
      { packageRules: rules },
      canonicalPattern,
    );
    const leaves = await this.#leaves.of(registry);
    const decide = decider(registry, leaves, after);
    const { names, isLast } = await this.#names(leaves, parseCursor(cursor));
    const items: RuleChange[] = [];
    for (const name of names) {
      if (!grant.may("packages:read", name)) continue;
      // Who owns a name costs a look at every source: only where it can make a difference.
      if (decide(name, true) === undefined && decide(name, false) === undefined) continue;
      const change = decide(name, await this.#isOwned(leaves, name));
      if (change !== undefined) items.push(change);
      if (items.length === limit) return { items, cursor: toCursor(name) };
    }
    const last = names.at(-1);
    return isLast || last === undefined ? { items } : { items, cursor: toCursor(last) };
  }

  /** The first names behind the registry that come after one. */
  async #names(
    leaves: readonly Leaf[],
    after: string,
  ): Promise<{ readonly names: readonly string[]; readonly isLast: boolean }> {
    const found = new Set<string>();
    let isLast = true;
    for (const { registry } of leaves) {
      const page = await this.#stores.table.query(
        listPackagesQuery(registry.id, { limit: MAX_NAMES, after }),
      );
      for (const { key } of page.items) found.add(key.sk);
      isLast &&= page.cursor === undefined;
    }
    const names = [...found].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return { names: names.slice(0, MAX_NAMES), isLast: isLast && names.length <= MAX_NAMES };
  }

  async #isOwned(leaves: readonly Leaf[], packageName: string): Promise<boolean> {
    const sources = leaves.filter(({ upstream }) => upstream === undefined);
    const items = await this.#stores.table.getMany(
      sources.map(({ registry }) => packageKey(registry.id, packageName)),
    );
    return items.some((item) => item !== undefined);
  }
}

/** Gives what changes for a name; `undefined` when nothing does. */
function decider(registry: Registry, leaves: readonly Leaf[], after: Routing) {
  // The registry's own routing is the first on the way to each of its leaves; a source is on no way.
  const leavesAfter = leaves.map((leaf) => ({
    ...leaf,
    routings: leaf.routings.map((routing, position) => (position === 0 ? after : routing)),
  }));
  return (packageName: string, owned: boolean): RuleChange | undefined => {
    const change = {
      packageName,
      before: decision(leaves, registry.routing, packageName, owned),
      after: decision(leavesAfter, after, packageName, owned),
    };
    return JSON.stringify(change.before) === JSON.stringify(change.after) ? undefined : change;
  };
}

function decision(
  leaves: readonly Leaf[],
  { packageRules }: Routing,
  packageName: string,
  owned: boolean,
): NameDecision {
  const asked = routesFor(leaves, packageName, owned).filter(({ refusal }) => refusal === "");
  const isAsked = (isProxy: boolean): Answer =>
    asked.some(({ leaf }) => (leaf.upstream !== undefined) === isProxy) ? "allow" : "block";
  return {
    publish: ruleFor(packageRules, "publish", packageName) ?? "allow",
    internal: isAsked(false),
    external: isAsked(true),
  };
}

const toCursor = (name: string): string => Buffer.from(name, "utf8").toString("base64url");

function parseCursor(cursor: string): string {
  const name = Buffer.from(cursor, "base64url").toString("utf8");
  const isOurs = toCursor(name) === cursor && !name.includes("\0") && cursor.length <= 1000;
  if (isOurs) return name;
  throw new InvalidInputError("The cursor is not one of this list; start without a cursor.");
}
