import {
  isAvailable,
  type PackageFile,
  type Tag,
  type Version,
} from "../../shared/domain/package.ts";
import { actorName } from "../../shared/domain/principal.ts";
import { NotFoundError } from "../../shared/errors.ts";
import type { WriteOp } from "../../shared/ports/table.ts";
import { fileContent, fileKey, toFile } from "../../shared/records/files.ts";
import { putTagOp, tagKey, toTag } from "../../shared/records/tags.ts";
import {
  createVersionOp,
  isAvailableRow,
  replaceVersionOp,
  sequenceOp,
  toVersion,
  versionKey,
} from "../../shared/records/versions.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { PackageRef } from "../../shared/services/blob-links.ts";
import type { Services } from "../../shared/services/services.ts";
import { requireMutableTag } from "../../shared/services/tags.ts";
import { stageOf } from "./edge/upload-tickets.ts";
import { OciInvalidError } from "./errors.ts";
import { type Manifest, requiredBlobs } from "./manifest.ts";
import { depthOf } from "./metadata.ts";
import type { Reference } from "./names.ts";
import {
  fileOps,
  isInline,
  MANIFEST_PATH,
  newVersion,
  publication,
  referrerOps,
  storeManifest,
  tagChange,
} from "./publication.ts";

/** Links claimed in the publish's own transaction; the package and its audit rows need the rest of its hundred. */
const MAX_CLAIMS_BESIDE = 45;
/** Tags set by one push. */
export const MAX_TAGS = 10;
/** Bounds how far a client has to follow an index. */
const MAX_INDEX_DEPTH = 8;

export interface FoundManifest {
  readonly file: PackageFile;
  /** `undefined` when the bytes are in the blob only. */
  readonly content: Uint8Array | undefined;
  /** Its row, read when asked for: the metadata of a manifest is not small. */
  version(): Version;
  /** Why the answer may be old; absent when it is not. */
  readonly stale?: string;
}

/** Manifests are versions, named by their digests and immutable; tags point at them. */
export class Manifests {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** By tag two reads, by digest one. @throws {NotFoundError} */
  async get(grant: RegistryGrant, image: string, reference: Reference): Promise<FoundManifest> {
    const digest =
      reference.kind === "digest"
        ? reference.digest.text
        : await this.#services.catalogue.findTag(grant, image, reference.tag);
    if (digest === undefined) throw new NotFoundError("tag", nameOf(reference));
    const ref = { registryId: grant.registry.id, packageName: image };
    const found = await this.find(ref, digest);
    if (found === undefined) throw new NotFoundError("version", nameOf(reference));
    return found;
  }

  /** What a stored tag points at; `undefined` when it is not there to be pulled. */
  async findTag(ref: PackageRef, tag: string): Promise<FoundManifest | undefined> {
    const item = await this.#services.stores.table.get(
      tagKey(ref.registryId, ref.packageName, tag),
    );
    return item === undefined ? undefined : this.find(ref, toTag(item).version);
  }

  /** What is stored under a digest, in one read; `undefined` when it is not there to be pulled. */
  async find(
    { registryId, packageName }: PackageRef,
    digest: string,
  ): Promise<FoundManifest | undefined> {
    const [fileRow, versionRow] = await this.#services.stores.table.getMany([
      fileKey(registryId, packageName, digest, MANIFEST_PATH),
      versionKey(registryId, packageName, digest),
    ]);
    const isThere = versionRow !== undefined && isAvailableRow(versionRow);
    if (fileRow === undefined || !isThere) return undefined;
    return {
      file: toFile(fileRow),
      content: fileContent(fileRow),
      version: () => toVersion(versionRow),
    };
  }

  /**
   * Publishes a manifest and points tags at it, in one transaction. Pushing what is there already succeeds, and
   * what was deleted comes back: a digest can only ever name the same bytes.
   *
   * @throws {OciInvalidError} when something that it refers to is missing, {@link ForbiddenError} for a tag that
   *   is immutable.
   */
  async publish(
    grant: RegistryGrant,
    image: string,
    manifest: Manifest,
    tags: readonly string[],
  ): Promise<void> {
    grant.require("packages:write", image);
    const { stores, changes, collector, blobLinks } = this.#services;
    const ref = { registryId: grant.registry.id, packageName: image };
    const file = await storeManifest(stores, ref, manifest);
    const links = requiredBlobs(manifest);
    const areMany = links.length > MAX_CLAIMS_BESIDE;
    if (areMany) {
      await this.#requireLinks(grant, image, links);
      if (!(await blobLinks.claim(ref, links))) await this.#requireLinks(grant, image, links);
    }
    await changes.apply(grant, image, async (current) => {
      if (!isInline(manifest.bytes)) await collector.awaitUsable([file.digests.sha256]);
      const tagOps = await this.#tagOps(grant, image, manifest.digest.text, tags);
      const item = await stores.table.get(versionKey(grant.registry.id, image, file.version));
      const before = item === undefined ? undefined : toVersion(item);
      const isThere = before !== undefined && isAvailable(before);
      if (isThere && tagOps.length === 0) return undefined;
      if (isThere) return tagChange(current, manifest, tags, tagOps, stores.now());
      await this.#requireLinks(grant, image, links);
      const depth = await this.#requireChildren(grant, image, manifest);
      const version = newVersion(file, manifest, depth, current, before, {
        publishedAtMs: stores.now(),
        publishedBy: actorName(grant.caller.principal),
      });
      const ops = [
        before === undefined ? createVersionOp(version) : replaceVersionOp(version, before),
        sequenceOp(version),
        ...fileOps(file, manifest.bytes),
        ...referrerOps(grant.registry.id, image, manifest),
        ...(areMany ? [] : blobLinks.claimOps(ref, links)),
        ...tagOps,
      ];
      return publication(current, version, tags, ops);
    });
  }

  /** The tags that have to move. @throws {ForbiddenError} when one of them must not. */
  async #tagOps(
    grant: RegistryGrant,
    image: string,
    digest: string,
    tags: readonly string[],
  ): Promise<readonly WriteOp[]> {
    if (tags.length === 0) return [];
    const { table, now } = this.#services.stores;
    const registryId = grant.registry.id;
    const items = await table.getMany(tags.map((name) => tagKey(registryId, image, name)));
    return tags.flatMap((name, position) => {
      const item = items[position];
      if (item !== undefined && toTag(item).version === digest) return [];
      if (item !== undefined) requireMutableTag(grant, name);
      const tag: Tag = { name, version: digest, updatedAtMs: now() };
      return [putTagOp(registryId, image, tag)];
    });
  }

  async #requireLinks(
    grant: RegistryGrant,
    image: string,
    digests: readonly string[],
  ): Promise<void> {
    const ref = { registryId: grant.registry.id, packageName: image };
    const { blobLinks } = this.#services;
    const unknown = await blobLinks.findMissing(ref, digests);
    if (unknown.length === 0) return;
    const { maxFileBytes: maxSizeBytes } = grant.registry.policies;
    await blobLinks.takeDirect(ref, unknown, { stage: stageOf(ref), maxSizeBytes });
    const missing = await blobLinks.findMissing(ref, unknown);
    if (missing.length > 0) throw missingContent("blobs", missing);
  }

  /** Every manifest of an index must be there. Gives the levels of indexes: 0 for an image. */
  async #requireChildren(grant: RegistryGrant, image: string, manifest: Manifest): Promise<number> {
    if (manifest.kind === "image") return 0;
    const digests = [...new Set(manifest.manifests.map((child) => child.digest))];
    const missing: string[] = [];
    let depth = 0;
    for (let start = 0; start < digests.length; start += 100) {
      const some = digests.slice(start, start + 100);
      const items = await this.#services.stores.table.getMany(
        some.map((digest) => versionKey(grant.registry.id, image, digest)),
      );
      for (const [position, digest] of some.entries()) {
        const item = items[position];
        const child = item === undefined ? undefined : toVersion(item);
        if (child === undefined || !isAvailable(child)) missing.push(digest);
        else depth = Math.max(depth, depthOf(child));
      }
    }
    if (missing.length > 0) throw missingContent("manifests", missing);
    if (depth < MAX_INDEX_DEPTH) return depth + 1;
    throw new OciInvalidError(
      "MANIFEST_INVALID",
      `Indexes can be inside each other ${MAX_INDEX_DEPTH} levels deep at most.`,
    );
  }
}

const nameOf = (reference: Reference): string =>
  reference.kind === "tag" ? reference.tag : reference.digest.text;

function missingContent(what: string, digests: readonly string[]): OciInvalidError {
  const named = digests.slice(0, 5).join(", ");
  return new OciInvalidError(
    "MANIFEST_BLOB_UNKNOWN",
    `The manifest refers to ${digests.length} ${what} that were not pushed to this repository: ${named}.`,
    { status: 404, detail: { digests: digests.slice(0, 20) } },
  );
}
