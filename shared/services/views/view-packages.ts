import type { Package } from "../../domain/package.ts";
import type { PageOf } from "../../records/pages.ts";
import type { RegistryGrant } from "../access.ts";
import type { CatalogueReads, ListOptions } from "../catalogue.ts";
import { type Leaf, type Leaves, routesFor } from "./routes.ts";
import { decodeCursor, encodeCursor } from "./stored-union.ts";

/** Names that are passed over in one query. */
const SKIPPED_AT_ONCE = 100;

/** Names of packages behind a view, as the registries there have them stored. */
export class ViewPackages {
  readonly #leaves: Leaves;
  readonly #stored: Pick<CatalogueReads, "listPackages" | "search">;

  constructor(leaves: Leaves, stored: Pick<CatalogueReads, "listPackages" | "search">) {
    this.#leaves = leaves;
    this.#stored = stored;
  }

  /** A name stands once, as the first registry has it that is asked for it. */
  async list(grant: RegistryGrant, options: ListOptions): Promise<PageOf<Package>> {
    const { limit, cursor, prefix } = options;
    const after = cursor === undefined ? options.after : decodeCursor(cursor);
    const leaves = await this.#leaves.of(grant.registry);
    const page = {
      limit,
      ...(prefix === undefined ? {} : { prefix }),
      ...(after === undefined ? {} : { after }),
    };
    const pages = await Promise.all(
      leaves.map((leaf) => this.#packagesOf(grant.through(leaf.registry), page)),
    );
    const packages = new Map<string, (Package | undefined)[]>();
    for (const [position, { items }] of pages.entries()) {
      for (const pkg of items) {
        const there = packages.get(pkg.name) ?? leaves.map(() => undefined);
        there[position] = pkg;
        packages.set(pkg.name, there);
      }
    }
    // Beyond the shortest unfinished page other names may be missing.
    const ends = pages.flatMap(({ items, cursor: more }) =>
      more === undefined ? [] : [items.at(-1)?.name ?? ""],
    );
    const end = ends.reduce<string | undefined>(
      (first, name) => (first === undefined || name < first ? name : first),
      undefined,
    );
    const names = [...packages.keys()]
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .filter((name) => end === undefined || name <= end);
    const shown = names.slice(0, limit);
    const items = shown.flatMap((name) => {
      const there = packages.get(name) ?? [];
      const pkg = firstAsked(leaves, name, there);
      return pkg === undefined ? [] : [pkg];
    });
    const last = shown.at(-1);
    const isLast = end === undefined && shown.length === names.length;
    return isLast || last === undefined ? { items } : { items, cursor: encodeCursor(last) };
  }

  /** A page that is empty only at the end: a proxy has names of which it has fetched nothing but documents. */
  async #packagesOf(leaf: RegistryGrant, options: ListOptions): Promise<PageOf<Package>> {
    let page = await this.#stored.listPackages(leaf, options);
    while (page.items.length === 0 && page.cursor !== undefined) {
      const { cursor } = page;
      page = await this.#stored.listPackages(leaf, { ...options, limit: SKIPPED_AT_ONCE, cursor });
    }
    return page;
  }

  async search(grant: RegistryGrant, query: string): Promise<readonly Package[]> {
    const leaves = await this.#leaves.of(grant.registry);
    const found = await Promise.all(
      leaves.map((leaf) => this.#stored.search(grant.through(leaf.registry), query)),
    );
    const names = new Set(found.flatMap((packages) => packages.map(({ name }) => name)));
    return [...names].flatMap((name) => {
      const there = found.map((packages) => packages.find((pkg) => pkg.name === name));
      const pkg = firstAsked(leaves, name, there);
      return pkg === undefined ? [] : [pkg];
    });
  }
}

/** Of what each leaf has of a name, that of the first one that is asked for it. */
function firstAsked(
  leaves: readonly Leaf[],
  name: string,
  there: readonly (Package | undefined)[],
): Package | undefined {
  const owned = leaves.some(
    ({ upstream }, position) => upstream === undefined && there[position] !== undefined,
  );
  const routes = routesFor(leaves, name, owned);
  return there.find((pkg, position) => pkg !== undefined && routes[position]?.refusal === "");
}
