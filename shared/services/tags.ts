import { ConflictError, InvalidInputError, NotFoundError } from "../errors.ts";
import { isAvailable, type Tag } from "../domain/package.ts";
import { deleteTagOp, listTagsQuery, putTagOp, toTag } from "../records/tags.ts";
import { toVersion, versionKey } from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import type { PackageChanges } from "./package-changes.ts";
import { queryAll } from "./queries.ts";
import type { Stores } from "./stores.ts";

/** Movable pointers to versions. Which names are allowed is the ecosystem's affair. */
export class Tags {
  readonly #stores: Stores;
  readonly #changes: PackageChanges;

  constructor(stores: Stores, changes: PackageChanges) {
    this.#stores = stores;
    this.#changes = changes;
  }

  /** By name. The caller has checked that the package may be read. */
  async list(grant: RegistryGrant, packageName: string): Promise<readonly Tag[]> {
    const items = await queryAll(this.#stores.table, (page) =>
      listTagsQuery(grant.registry.id, packageName, page),
    );
    return items.map(toTag);
  }

  /** Points a tag at an available version. @throws {NotFoundError} when there is no such version. */
  async set(
    grant: RegistryGrant,
    packageName: string,
    name: string,
    version: string,
  ): Promise<void> {
    grant.require("packages:write", packageName);
    if (name.length > 200 || name.includes("#")) {
      throw new InvalidInputError(`"${name.slice(0, 50)}" cannot be a tag.`);
    }
    const { table, now } = this.#stores;
    await this.#changes.apply(grant, packageName, async (current) => {
      if (current.package?.state !== "active") throw new NotFoundError("package", packageName);
      const item = await table.get(versionKey(grant.registry.id, packageName, version));
      if (item === undefined || !isAvailable(toVersion(item))) {
        throw new NotFoundError("version", version);
      }
      if (current.tags.some((tag) => tag.name === name && tag.version === version)) {
        return undefined;
      }
      const tag: Tag = { name, version, updatedAtMs: now() };
      return {
        package: { ...current.package, updatedAtMs: now() },
        tags: [...current.tags.filter((other) => other.name !== name), tag],
        ops: [putTagOp(grant.registry.id, packageName, tag)],
        documents: { kind: "closing" },
        audit: [{ action: "tag.set", version, detail: name }],
      };
    });
  }

  /** @throws {NotFoundError} when there is no such tag, {@link ConflictError} for `latest`, which a package needs. */
  async remove(grant: RegistryGrant, packageName: string, name: string): Promise<void> {
    grant.require("packages:write", packageName);
    if (name === "latest") {
      throw new ConflictError('The tag "latest" cannot be removed, only moved to another version.');
    }
    await this.#changes.apply(grant, packageName, async (current) => {
      const tag = current.tags.find((candidate) => candidate.name === name);
      if (current.package === undefined || tag === undefined) throw new NotFoundError("tag", name);
      return {
        package: { ...current.package, updatedAtMs: this.#stores.now() },
        tags: current.tags.filter((other) => other.name !== name),
        ops: [deleteTagOp(grant.registry.id, packageName, name)],
        documents: { kind: "closing" },
        audit: [{ action: "tag.delete", version: tag.version, detail: name }],
      };
    });
  }
}
