import { ConflictError, ForbiddenError, InvalidInputError, NotFoundError } from "../errors.ts";
import { isAvailable, type Tag } from "../domain/package.ts";
import { isTagMutable } from "../domain/registry.ts";
import { deleteTagOp, putTagOp, tagKey, toTag } from "../records/tags.ts";
import { toVersion, versionKey } from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import type { PackageChanges } from "./package-changes.ts";
import type { Ecosystems, Stores } from "./stores.ts";

/** Movable pointers to versions. Which names are allowed is the ecosystem's affair. */
export class Tags {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #changes: PackageChanges;

  constructor(stores: Stores, ecosystems: Ecosystems, changes: PackageChanges) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#changes = changes;
  }

  /**
   * Points a tag at an available version.
   *
   * @throws {NotFoundError} when there is no such version, {@link ForbiddenError} when the tag exists and must
   *   not move.
   */
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
      const [item, tagItem] = await table.getMany([
        versionKey(grant.registry.id, packageName, version),
        tagKey(grant.registry.id, packageName, name),
      ]);
      if (item === undefined || !isAvailable(toVersion(item))) {
        throw new NotFoundError("version", version);
      }
      if (tagItem !== undefined && toTag(tagItem).version === version) return undefined;
      if (tagItem !== undefined) requireMutableTag(grant, name);
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

  /**
   * @throws {NotFoundError} when there is no such tag, {@link ForbiddenError} when it must not change,
   *   {@link ConflictError} for `latest` where clients need it.
   */
  async remove(
    grant: RegistryGrant,
    packageName: string,
    name: string,
    scope: "packages:write" | "packages:delete" = "packages:write",
  ): Promise<void> {
    grant.require(scope, packageName);
    const { renderers } = this.#ecosystems[grant.registry.ecosystem];
    if (name === "latest" && renderers.length > 0) {
      throw new ConflictError('The tag "latest" cannot be removed, only moved to another version.');
    }
    await this.#changes.apply(grant, packageName, async (current) => {
      const item = await this.#stores.table.get(tagKey(grant.registry.id, packageName, name));
      if (current.package === undefined || item === undefined) throw new NotFoundError("tag", name);
      requireMutableTag(grant, name);
      return {
        package: { ...current.package, updatedAtMs: this.#stores.now() },
        tags: current.tags.filter((other) => other.name !== name),
        ops: [deleteTagOp(grant.registry.id, packageName, name)],
        documents: { kind: "closing" },
        audit: [{ action: "tag.delete", version: toTag(item).version, detail: name }],
      };
    });
  }
}

/** For a tag that exists already. @throws {ForbiddenError} where the registry's policy is that it stays as it is. */
export function requireMutableTag(grant: RegistryGrant, tag: string): void {
  if (isTagMutable(grant.registry.policies, tag)) return;
  throw new ForbiddenError(
    `The tag "${tag}" exists, and tags do not change in registry "${grant.registry.slug}". Use another tag, or have an administrator add a pattern to mutableTags.`,
  );
}
