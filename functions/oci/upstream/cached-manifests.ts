import { isAvailable, type Tag } from "../../../shared/domain/package.ts";
import type { Registry } from "../../../shared/domain/registry.ts";
import type { WriteOp } from "../../../shared/ports/table.ts";
import { deleteTagOp, putTagOp, tagKey, toTag } from "../../../shared/records/tags.ts";
import {
  createVersionOp,
  replaceVersionOp,
  sequenceOp,
  toVersion,
  versionKey,
} from "../../../shared/records/versions.ts";
import { RegistryGrant } from "../../../shared/services/access.ts";
import type { PackageChange } from "../../../shared/services/package-changes.ts";
import type { Services } from "../../../shared/services/services.ts";
import { PROXY } from "../../../shared/services/upstreams/kept-files.ts";
import { OciInvalidError } from "../errors.ts";
import type { Manifest } from "../manifest.ts";
import {
  fileOps,
  isInline,
  newVersion,
  publication,
  referrerOps,
  storeManifest,
  tagChange,
} from "../publication.ts";

/** Keeps manifests of an upstream as versions of the proxy, whether what they refer to is here or not. */
export class CachedManifests {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** Keeps a manifest, and points the tag at it by which it was asked for. May be repeated. */
  async keep(
    { registry, origin }: { readonly registry: Registry; readonly origin: string },
    repository: string,
    manifest: Manifest,
    tag?: string,
  ): Promise<void> {
    const { stores, changes, collector } = this.#services;
    const ref = { registryId: registry.id, packageName: repository };
    const file = await storeManifest(stores, ref, manifest);
    const tags = tag === undefined ? [] : [tag];
    await changes.apply(new RegistryGrant(registry, PROXY), repository, async (current) => {
      if (!isInline(manifest.bytes)) await collector.awaitUsable([file.digests.sha256]);
      const item = await stores.table.get(versionKey(registry.id, repository, file.version));
      const before = item === undefined ? undefined : toVersion(item);
      const tagOps = await this.#tagOps(registry, repository, file.version, tag);
      if (before !== undefined && isAvailable(before)) {
        if (tagOps.length === 0) return undefined;
        return unaudited(tagChange(current, manifest, tags, tagOps, stores.now()));
      }
      // Of an index; nobody pushes one around it.
      const depth = manifest.kind === "index" ? 1 : 0;
      const version = newVersion(file, manifest, depth, current, before, {
        publishedAtMs: stores.now(),
        publishedBy: origin,
      });
      const ops = [
        before === undefined ? createVersionOp(version) : replaceVersionOp(version, before),
        sequenceOp(version),
        ...fileOps(file, manifest.bytes),
        ...listedReferrerOps(registry.id, repository, manifest),
        ...tagOps,
      ];
      return unaudited(publication(current, version, tags, ops));
    });
  }

  /** Forgets a tag that the upstream does not have any more; what it pointed at stays. */
  async forgetTag(registry: Registry, repository: string, tag: string): Promise<void> {
    await this.#services.stores.table.write([deleteTagOp(registry.id, repository, tag)]);
  }

  async #tagOps(
    registry: Registry,
    repository: string,
    digest: string,
    name: string | undefined,
  ): Promise<readonly WriteOp[]> {
    if (name === undefined) return [];
    const { table, now } = this.#services.stores;
    const item = await table.get(tagKey(registry.id, repository, name));
    if (item !== undefined && toTag(item).version === digest) return [];
    const tag: Tag = { name, version: digest, updatedAtMs: now() };
    return [putTagOp(registry.id, repository, tag)];
  }
}

/** Nobody published what a proxy fetched. */
const unaudited = (change: PackageChange | undefined): PackageChange | undefined =>
  change === undefined ? undefined : { ...change, audit: [] };

/** What is too long for our lists is still pulled by its digest. */
function listedReferrerOps(
  registryId: string,
  repository: string,
  manifest: Manifest,
): readonly WriteOp[] {
  try {
    return referrerOps(registryId, repository, manifest);
  } catch (error) {
    if (error instanceof OciInvalidError) return [];
    throw error;
  }
}
