import { ConfirmationRequiredError, InvalidInputError, UnsupportedError } from "../../errors.ts";
import { listPackagesQuery, packagePartition } from "../../records/packages.ts";
import type { RegistryGrant } from "../access.ts";
import { recordOps } from "../audit.ts";
import { eachItem } from "../queries.ts";
import type { Ecosystems, Stores } from "../stores.ts";
import type { Counts, PackagePurge, PackagePurger } from "./package-purger.ts";
import type { UpstreamDirectory } from "./upstream-directory.ts";

const PACKAGES_A_CALL = 100;
/** Beyond this nobody counts how many packages are left. */
const MAX_COUNTED = 10_000;
/** Where nothing sets a limit, so that whoever watches hears something. */
const BUDGET_MS = 10_000;

/** What of a proxy's copies goes: all, those of a package, or the files of one version. */
export interface Purge {
  readonly packageName?: string;
  readonly version?: string;
  /** Only documents: they stay, and are held against the upstream's when they are asked for next. */
  readonly documents: boolean;
  /** The slug, typed by whoever means everything. */
  readonly confirm?: string;
  /** Of the answer before. */
  readonly cursor?: string;
}

export interface Purged {
  readonly packages: number;
  readonly versions: number;
  readonly files: number;
  /** Of the upstream, forgotten or marked. */
  readonly documents: number;
  readonly sizeBytes: number;
  /** Packages that are still to be looked at; 10,000 stands for more. */
  readonly remaining: number;
  /** Where to go on; `undefined` when all is done. */
  readonly cursor: string | undefined;
}

/** Takes copies out of proxies, so that they are fetched anew. Their bytes are free for the collector then. */
export class CachePurge {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #upstreams: UpstreamDirectory;
  readonly #packages: PackagePurger;
  readonly #budgetMs: number;

  /** `budgetMs`: how long one call may go on. */
  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    upstreams: UpstreamDirectory,
    packages: PackagePurger,
    budgetMs = BUDGET_MS,
  ) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#upstreams = upstreams;
    this.#packages = packages;
    this.#budgetMs = budgetMs;
  }

  /**
   * Purges as far as one call may go; with the cursor of its answer the next one goes on. A file that is being fetched
   * meanwhile is kept whole or not at all. Copies of packages that the caller may not delete stay.
   *
   * @throws {UnsupportedError} for what is no proxy, {@link ConfirmationRequiredError} for everything without its slug,
   *   {@link InvalidInputError}, and as {@link RegistryGrant.require}.
   */
  async purge(grant: RegistryGrant, purge: Purge): Promise<Purged> {
    requireProxy(grant);
    const { packageName, version, documents } = purge;
    grant.require("packages:delete", packageName);
    if (version !== undefined && (packageName === undefined || documents)) {
      throw new InvalidInputError(
        "A version goes with its package, and has no documents of its own: documents describe all versions of a package.",
        [
          {
            at: "/version",
            problem: packageName === undefined ? "needs a package" : "no documents",
          },
        ],
      );
    }
    const endsAtMs = this.#stores.now() + this.#budgetMs;
    return packageName === undefined
      ? this.#purgeAll(grant, purge, endsAtMs)
      : this.#purgeOne(grant, { ...purge, packageName }, endsAtMs);
  }

  async #purgeOne(grant: RegistryGrant, purge: PackagePurge, endsAtMs: number): Promise<Purged> {
    const { slug, ecosystem, routing } = grant.registry;
    const upstream = await this.#upstreams.find(routing.proxyOf);
    const { cachedAs } = this.#ecosystems[ecosystem];
    const packageName =
      upstream === undefined || cachedAs === undefined
        ? purge.packageName
        : cachedAs(upstream, purge.packageName);
    const counts = noCounts();
    const { version = "", documents } = purge;
    const isThere = await this.#hasCopies(grant, packageName);
    if (isThere) {
      const detail = documents ? "documents" : "";
      const happening = { registry: slug, package: packageName, version, detail };
      await this.#record(grant, happening);
      const isDone = await this.#packages.purge(grant, { ...purge, packageName }, counts, endsAtMs);
      if (!isDone) return { ...counts, packages: 0, remaining: 1, cursor: encodeCursor("") };
    }
    return { ...counts, packages: isThere ? 1 : 0, remaining: 0, cursor: undefined };
  }

  async #purgeAll(grant: RegistryGrant, purge: Purge, endsAtMs: number): Promise<Purged> {
    const { slug, id } = grant.registry;
    if (!purge.documents && purge.confirm !== slug) {
      throw new ConfirmationRequiredError(
        `This removes everything that the proxy "${slug}" has cached; while its upstream does not answer, nothing can be installed from it then. Confirm by sending its name: "confirm": "${slug}".`,
      );
    }
    let after = purge.cursor === undefined ? "" : decodeCursor(purge.cursor);
    const { table } = this.#stores;
    const { items } = await table.query(listPackagesQuery(id, { limit: PACKAGES_A_CALL, after }));
    const counts = noCounts();
    let packages = 0;
    if (items.length > 0) {
      const detail = purge.documents ? "documents" : "everything";
      await this.#record(grant, { registry: slug, package: "", version: "", detail });
    }
    let isOver = false;
    for (const { key } of items) {
      const packageName = key.sk;
      if (grant.may("packages:delete", packageName)) {
        const before = sumUp(counts);
        isOver = !(await this.#packages.purge(grant, { ...purge, packageName }, counts, endsAtMs));
        if (isOver) break;
        if (sumUp(counts) > before) packages++;
      }
      after = packageName;
      isOver = this.#stores.now() >= endsAtMs;
      if (isOver) break;
    }
    const mayBeMore = isOver || items.length === PACKAGES_A_CALL;
    const remaining = mayBeMore ? await this.#countAfter(id, after) : 0;
    return {
      ...counts,
      packages,
      remaining,
      cursor: remaining > 0 ? encodeCursor(after) : undefined,
    };
  }

  async #hasCopies({ registry }: RegistryGrant, packageName: string): Promise<boolean> {
    const pk = packagePartition(registry.id, packageName);
    for (const prefix of ["V#", "U#", "D#", "L#"]) {
      const page = await this.#stores.table.query({ pk, range: { prefix }, limit: 1 });
      if (page.items.length > 0) return true;
    }
    return false;
  }

  /** Up to {@link MAX_COUNTED}. */
  async #countAfter(registryId: string, after: string): Promise<number> {
    let count = 0;
    for await (const _ of eachItem(this.#stores.table, (page) =>
      listPackagesQuery(registryId, { ...page, after }),
    )) {
      count++;
      if (count >= MAX_COUNTED) break;
    }
    return count;
  }

  async #record(
    { registry, caller }: RegistryGrant,
    happening: {
      readonly registry: string;
      readonly package: string;
      readonly version: string;
      readonly detail: string;
    },
  ): Promise<void> {
    const entry = { ...happening, action: "package.purge" as const };
    await this.#stores.table.write([...recordOps(caller, entry, registry.id, this.#stores.now())]);
  }
}

function requireProxy({ registry: { slug, kind, routing } }: RegistryGrant): void {
  if (kind === "proxy") return;
  throw new UnsupportedError(
    kind === "source"
      ? `Registry "${slug}" is no proxy: what is in it was published here. Delete packages instead.`
      : `Registry "${slug}" is a composite and keeps no copies. Purge the proxies behind it; of ${routing.upstreams.join(", ") || "none"} those that are.`,
  );
}

const noCounts = (): Counts => ({ versions: 0, files: 0, documents: 0, sizeBytes: 0 });

const sumUp = ({ versions, files, documents }: Counts): number => versions + files + documents;

/** Never empty, as a name before the first one would be. */
const encodeCursor = (after: string): string => Buffer.from(`>${after}`).toString("base64url");

function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (text.startsWith(">")) return text.slice(1);
  throw new InvalidInputError("The cursor is not one of this purge.", [
    { at: "/cursor", problem: "not a cursor" },
  ]);
}
