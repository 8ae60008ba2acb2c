import { NotFoundError } from "../errors.ts";
import { isAvailable, type Version } from "../domain/package.ts";
import { replaceVersionOp } from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import { latestOfAll } from "./ecosystem.ts";
import { type PackageChanges, requireActive } from "./package-changes.ts";
import { readVersions } from "./queries.ts";
import type { Ecosystems, Stores } from "./stores.ts";

/** A version is a row, two audit rows and an event of a transaction's hundred operations. */
const VERSIONS_A_TRANSACTION = 20;

/** Words that versions show to those who install them. */
export class Deprecations {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #changes: PackageChanges;

  constructor(stores: Stores, ecosystems: Ecosystems, changes: PackageChanges) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#changes = changes;
  }

  /**
   * Marks versions as deprecated with the words for those who install them; empty words take it back.
   * Many versions change in several transactions, each of which leaves the documents right.
   *
   * @throws {NotFoundError} for a version that is not available.
   */
  async deprecate(
    grant: RegistryGrant,
    packageName: string,
    messages: ReadonlyMap<string, string>,
  ): Promise<void> {
    grant.require("packages:write", packageName);
    const all = [...messages];
    for (let start = 0; start < all.length; start += VERSIONS_A_TRANSACTION) {
      await this.#deprecateSome(
        grant,
        packageName,
        all.slice(start, start + VERSIONS_A_TRANSACTION),
      );
    }
  }

  async #deprecateSome(
    grant: RegistryGrant,
    packageName: string,
    messages: readonly (readonly [string, string])[],
  ): Promise<void> {
    await this.#changes.apply(grant, packageName, async (current) => {
      const pkg = requireActive(current, packageName);
      const versions = await readVersions(this.#stores.table, grant.registry.id, packageName);
      const changed: (readonly [after: Version, before: Version])[] = [];
      for (const [name, deprecation] of messages) {
        const before = versions.find(({ version }) => version === name);
        if (before === undefined || !isAvailable(before)) throw new NotFoundError("version", name);
        if (before.deprecation === deprecation) continue;
        const state = deprecation === "" ? "published" : "deprecated";
        changed.push([{ ...before, deprecation, state }, before]);
      }
      if (changed.length === 0) return undefined;
      const ecosystem = this.#ecosystems[grant.registry.ecosystem];
      const after = new Map(changed.map(([version]) => [version.version, version]));
      const available = versions.map((v) => after.get(v.version) ?? v).filter(isAvailable);
      const latestVersion =
        ecosystem.avoidsDeprecated === true ? latestOfAll(ecosystem, available) : pkg.latestVersion;
      return {
        package: { ...pkg, latestVersion, updatedAtMs: this.#stores.now() },
        tags: current.tags,
        ops: changed.map(([version, before]) => replaceVersionOp(version, before)),
        documents: { kind: "rebuild", changed: changed.map(([version]) => version) },
        audit: changed.map(([{ version, deprecation }]) => ({
          action: deprecation === "" ? "version.undeprecate" : "version.deprecate",
          version,
          detail: deprecation.slice(0, 200),
        })),
      };
    });
  }
}
