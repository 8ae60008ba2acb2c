import { isAvailable, type Package, type Tag, type Version } from "../../domain/package.ts";
import { InvalidCursorError } from "../../ports/table.ts";
import type { PageOf, PageOptions } from "../../records/pages.ts";
import type { RegistryGrant } from "../access.ts";
import type { CatalogueReads } from "../catalogue.ts";
import { type Ecosystem, latestOf } from "../ecosystem.ts";

/**
 * What several registries have stored of a package, each version and tag that of the first one that has it: packages of
 * ecosystems without listings.
 */
export class StoredUnion {
  readonly #stored: CatalogueReads;
  readonly #ecosystem: Ecosystem;
  /** The registries that are asked, in their order. */
  readonly #asked: readonly RegistryGrant[];

  constructor(stored: CatalogueReads, ecosystem: Ecosystem, asked: readonly RegistryGrant[]) {
    this.#stored = stored;
    this.#ecosystem = ecosystem;
    this.#asked = asked;
  }

  async findPackage(packageName: string): Promise<Package | undefined> {
    const packages = (await this.#having(packageName)).map((one) => one.package);
    const [first] = packages;
    if (first === undefined || packages.length === 1) return first;
    const versions = (await this.#all(packageName)).filter(isAvailable);
    return {
      ...first,
      versionCount: versions.length,
      latestVersion: packages.reduce(
        (best, { latestVersion }) => latestOf(this.#ecosystem, best, latestVersion),
        "",
      ),
    };
  }

  /** In the order of `versions`. */
  async findVersions(
    packageName: string,
    versions: readonly string[],
  ): Promise<readonly Version[]> {
    const found = await Promise.all(
      this.#asked.map(async (grant) =>
        withOrigin(await this.#stored.findVersions(grant, packageName, versions), grant),
      ),
    );
    return versions.flatMap((version) => {
      const first = found.flat().find((candidate) => candidate.version === version);
      return first === undefined ? [] : [first];
    });
  }

  /** By name. */
  async listTags(packageName: string): Promise<readonly Tag[]> {
    const tags = new Map<string, Tag>();
    for (const grant of this.#asked) {
      for (const tag of await this.#stored.listTags(grant, packageName)) {
        if (!tags.has(tag.name)) tags.set(tag.name, tag);
      }
    }
    return [...tags.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async listVersions(
    packageName: string,
    options: PageOptions & { readonly prefix?: string },
  ): Promise<PageOf<Version>> {
    const having = await this.#having(packageName);
    const [only] = having;
    if (only === undefined) return { items: [] };
    if (having.length === 1) {
      const page = await this.#stored.listVersions(only.grant, packageName, options);
      return { ...page, items: withOrigin(page.items, only.grant) };
    }
    return pageOfVersions(await this.#all(packageName), options);
  }

  async #having(packageName: string) {
    const packages = await Promise.all(
      this.#asked.map((grant) => this.#stored.findPackage(grant, packageName)),
    );
    return this.#asked.flatMap((grant, position) => {
      const found = packages[position];
      return found === undefined ? [] : [{ grant, package: found }];
    });
  }

  async #all(packageName: string): Promise<readonly Version[]> {
    const versions = new Map<string, Version>();
    for (const grant of this.#asked) {
      let cursor: string | undefined;
      do {
        const page = await this.#stored.listVersions(grant, packageName, {
          limit: 100,
          prefix: "",
          ...(cursor === undefined ? {} : { cursor }),
        });
        for (const version of withOrigin(page.items, grant)) {
          if (!versions.has(version.version)) versions.set(version.version, version);
        }
        cursor = page.cursor;
      } while (cursor !== undefined);
    }
    return [...versions.values()];
  }
}

/** A page of versions that are all known: the newest first, or by name from `prefix`. */
export function pageOfVersions(
  versions: readonly Version[],
  { prefix, limit, cursor }: PageOptions & { readonly prefix?: string },
): PageOf<Version> {
  const all = versions
    .filter(({ version }) => prefix === undefined || version.startsWith(prefix))
    .sort((a, b) =>
      prefix === undefined
        ? b.publishedAtMs - a.publishedAtMs || b.sequence - a.sequence
        : a.version < b.version
          ? -1
          : 1,
    );
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const start = after === undefined ? 0 : all.findIndex(({ version }) => version === after) + 1;
  const items = all.slice(start, start + limit);
  const last = items.at(-1);
  return last === undefined || start + limit >= all.length
    ? { items }
    : { items, cursor: encodeCursor(last.version) };
}

const withOrigin = (
  versions: readonly Version[],
  { registry }: RegistryGrant,
): readonly Version[] => versions.map((version) => ({ ...version, origin: registry.slug }));

/** The name after which the next page begins, opaque to callers. */
export const encodeCursor = (name: string): string => Buffer.from(name).toString("base64url");

/** @throws {InvalidCursorError} */
export function decodeCursor(cursor: string): string {
  const name = Buffer.from(cursor, "base64url").toString("utf8");
  if (encodeCursor(name) !== cursor) throw new InvalidCursorError();
  return name;
}
