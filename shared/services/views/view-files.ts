import { NotFoundError } from "../../errors.ts";
import type { Registry } from "../../domain/registry.ts";
import type { Item, Key } from "../../ports/table.ts";
import { fileKey, toFile } from "../../records/files.ts";
import { packageKey, toPackage } from "../../records/packages.ts";
import { isAvailableRow, toVersion, versionKey } from "../../records/versions.ts";
import type { AvailableFile } from "../catalogue.ts";
import { getAll } from "../queries.ts";
import type { Ecosystems, Stores } from "../stores.ts";
import { requireOffered } from "../stored-catalogue.ts";
import { LocatedFiles } from "../upstreams/located-files.ts";
import type { UpstreamFiles } from "../upstreams/upstream-files.ts";
import { visibleThrough, withFiles } from "./listing.ts";
import type { Listings } from "./listings.ts";
import { isOwned, type Leaf, type Leaves, routesFor } from "./routes.ts";

/** Files as composites and proxies show them: of the registry that their version is from, fetched where they are not here. */
export class ViewFiles {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #leaves: Leaves;
  readonly #listings: Listings;
  readonly #files: UpstreamFiles;
  readonly #locatedFiles: LocatedFiles;

  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    leaves: Leaves,
    listings: Listings,
    files: UpstreamFiles,
  ) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#leaves = leaves;
    this.#listings = listings;
    this.#files = files;
    this.#locatedFiles = new LocatedFiles(stores, files);
  }

  /**
   * A file, from the first registry that has its version, fetched when that is a proxy that does not have it yet.
   *
   * @throws {NotFoundError} when none has it, or it is too young here.
   */
  async get(
    registry: Registry,
    packageName: string,
    version: string,
    path: string,
  ): Promise<AvailableFile> {
    const leaves = await this.#leaves.of(registry);
    const keys = (id: string): readonly Key[] => [
      packageKey(id, packageName),
      versionKey(id, packageName, version),
      fileKey(id, packageName, version, path),
    ];
    const items = await getAll(
      this.#stores.table,
      leaves.flatMap((leaf) => keys(leaf.registry.id)),
    );
    const rows = leaves.map((leaf, position) => ({
      leaf,
      package: items[position * 3],
      version: items[position * 3 + 1],
      file: items[position * 3 + 2],
    }));
    const owned = rows.some(({ leaf, ...row }) => isOwned(leaf, row.package));
    const routes = routesFor(leaves, packageName, owned);
    for (const [position, row] of rows.entries()) {
      if (routes[position]?.refusal !== "") continue;
      const found =
        row.leaf.upstream === undefined
          ? storedFile(row, path)
          : await this.#upstreamFile(row.leaf, packageName, version, path, cachedFile(row));
      if (found === undefined) continue;
      this.#requireOldEnough(row.leaf, packageName, found);
      return found;
    }
    throw new NotFoundError("file", path);
  }

  /** `undefined` when the upstream has no such version, or the version no such file. `cached`: what is here of it. */
  async #upstreamFile(
    leaf: Leaf,
    packageName: string,
    version: string,
    path: string,
    cached: AvailableFile | undefined,
  ): Promise<AvailableFile | undefined> {
    const { registry, upstream } = leaf;
    if (upstream === undefined) return undefined;
    const ecosystem = this.#ecosystems[registry.ecosystem];
    const locate = ecosystem.listings?.locate ?? ecosystem.locate;
    if (locate === undefined && cached !== undefined) {
      this.#files.heardCached(upstream);
      return cached;
    }
    const { listed, description } =
      locate === undefined
        ? await this.#listings.listed(leaf, packageName, version)
        : { listed: locate(packageName, version, path), description: "" };
    const file = listed?.files.find((candidate) => candidate.path === path);
    if (listed === undefined || file === undefined) return undefined;
    const { publishedAtMs } = listed;
    const fromMs = visibleThrough(leaf.routings, packageName, file.publishedAtMs ?? publishedAtMs);
    if (fromMs > this.#stores.now()) throw new NotFoundError("file", path);
    const question = {
      registry,
      upstream,
      packageName,
      version,
      publishedAtMs,
      metadata: withFiles(ecosystem, listed, [file]).entry,
      description,
      file,
    };
    if (locate === undefined) return this.#files.get(question);
    const found = await this.#locatedFiles.find(question, cached);
    if (found !== undefined && found === cached) this.#files.heardCached(upstream);
    return found;
  }

  #requireOldEnough(leaf: Leaf, packageName: string, { file, version }: AvailableFile): void {
    const publishedAtMs =
      file.publishedAtMs ??
      (leaf.upstream === undefined ? file.createdAtMs : version().publishedAtMs);
    const fromMs = visibleThrough(leaf.routings, packageName, publishedAtMs);
    if (fromMs > this.#stores.now()) throw new NotFoundError("file", file.path);
  }
}

/** What a leaf has of a file. */
interface Rows {
  readonly package: Item | undefined;
  readonly version: Item | undefined;
  readonly file: Item | undefined;
}

/** @throws {NotFoundError} | {@link ForbiddenError} in quarantine, which holds wherever a package is read. */
function storedFile(rows: Rows, path: string): AvailableFile | undefined {
  const { version } = rows;
  if (version === undefined || !isAvailableRow(version)) return undefined;
  if (rows.package !== undefined) requireOffered(toPackage(rows.package));
  // Its version is here, so that no other registry may add files to it.
  if (rows.file === undefined) throw new NotFoundError("file", path);
  return { version: () => toVersion(version), file: toFile(rows.file) };
}

function cachedFile(row: Rows): AvailableFile | undefined {
  const { version } = row;
  if (version === undefined || row.file === undefined || !isAvailableRow(version)) return undefined;
  return { version: () => toVersion(version), file: toFile(row.file) };
}
