import { UnsupportedError } from "../errors.ts";
import { ACTIVE_STANDING, type PackageStanding } from "../domain/package.ts";
import type { RegistryGrant } from "./access.ts";
import { type PackageChanges, requireActive } from "./package-changes.ts";
import type { Ecosystems, Stores } from "./stores.ts";

/** What the owners of packages say of them as a whole, in the ecosystems whose clients are told. */
export class Standings {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #changes: PackageChanges;

  constructor(stores: Stores, ecosystems: Ecosystems, changes: PackageChanges) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#changes = changes;
  }

  /**
   * Changes what is given and leaves the rest; a new status without a reason has none. Files that nobody may have are
   * as good as deleted, so that quarantine, and its end, takes the right to delete.
   *
   * @throws {UnsupportedError} where clients are told nothing of it; {@link NotFoundError}.
   */
  async update(
    grant: RegistryGrant,
    packageName: string,
    change: Partial<PackageStanding>,
  ): Promise<void> {
    grant.require("packages:write", packageName);
    const { ecosystem } = grant.registry;
    if (this.#ecosystems[ecosystem].hasStanding !== true) {
      throw new UnsupportedError(
        `Packages of ${ecosystem} have no status: no client would be told. Deprecate their versions.`,
      );
    }
    await this.#changes.apply(grant, packageName, async (current) => {
      const pkg = requireActive(current, packageName);
      const before = pkg.standing ?? ACTIVE_STANDING;
      const reason = change.status === undefined ? before.reason : "";
      const after: PackageStanding = { ...before, reason, ...change };
      if (before.status !== after.status && [before, after].some(isQuarantine)) {
        grant.require("packages:delete", packageName);
      }
      return {
        package: { ...pkg, standing: after, updatedAtMs: this.#stores.now() },
        tags: current.tags,
        ops: [],
        documents: { kind: "rebuild", changed: [] },
        audit: [
          {
            action: "package.update",
            version: "",
            detail: `${after.status} ${after.reason}`.trim().slice(0, 200),
          },
        ],
      };
    });
  }
}

const isQuarantine = ({ status }: PackageStanding): boolean => status === "quarantined";
