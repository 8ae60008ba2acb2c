import {
  ChecksumMismatchError,
  InvalidInputError,
  NotFoundError,
  TooLargeError,
} from "../errors.ts";
import { type Digests, FILE_DIGESTS, isDigest, requireDigests } from "../domain/digest.ts";
import { randomText } from "../domain/identifiers.ts";
import { actorName } from "../domain/principal.ts";
import {
  DigestMismatchError,
  MAX_PARTS,
  MultipartNotFoundError,
  type Ticket,
  type UploadedPart,
} from "../ports/blobs.ts";
import {
  createUploadOp,
  deleteUploadOp,
  joinedUploadOp,
  toUpload,
  type Upload,
  uploadKey,
} from "../records/uploads.ts";
import type { RegistryGrant } from "./access.ts";
import type { UploadedFile } from "./ecosystem.ts";
import type { Ecosystems, Stores } from "./stores.ts";

/** How long an upload may take from its start to `complete`, and one part's ticket is good for. */
const UPLOAD_HOURS = 24;
const TICKET_SECONDS = 3600;
/** Resuming loses at most one part; S3 wants at least 5 MiB. */
const PART_BYTES = 16 * 1024 * 1024;

export interface NewUpload {
  readonly packageName: string;
  readonly version: string;
  readonly path: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal; the bytes must turn out to have it. */
  readonly sha256: string;
}

/**
 * Uploads that go straight to blob storage in parts, and become a file of a version, or an image's blob, with
 * `complete`. Parts are staged under an upload of the caller's own: knowing a digest is not enough to get at bytes that somebody
 * else stored.
 */
export class Uploads {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #maxBytes: number;

  /** `maxBytes`: the most that `complete` can read back in the time that a request has here. */
  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    { maxBytes = Number.POSITIVE_INFINITY }: { readonly maxBytes?: number } = {},
  ) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#maxBytes = maxBytes;
  }

  /** @throws {InvalidInputError} | {@link TooLargeError} */
  async begin(grant: RegistryGrant, input: NewUpload): Promise<Upload> {
    const ecosystem = this.#ecosystems[grant.registry.ecosystem];
    const packageName = ecosystem.parsePackageName(input.packageName);
    const version = ecosystem.parseVersion(input.version);
    grant.require("packages:write", packageName);
    const { sha256 } = input;
    if (!isDigest("sha256", sha256)) {
      throw new InvalidInputError("sha256 must be 64 lower-case hexadecimal digits.", [
        { at: "/sha256", problem: "not a SHA-256" },
      ]);
    }
    const path = ecosystem.parseUploadPath?.(input.path, { version, sha256 }) ?? input.path;
    const { maxFileBytes } = grant.registry.policies;
    if (input.sizeBytes > maxFileBytes) throw new TooLargeError(`"${input.path}"`, maxFileBytes);
    if (input.sizeBytes > this.#maxBytes) {
      throw new TooLargeError(
        `"${input.path}"`,
        this.#maxBytes,
        "The whole file is checked before it counts, and a request has no time for more. Split it, or send it by way of the edge.",
      );
    }
    const multipart = await this.#stores.blobs.beginMultipart();
    const nowMs = this.#stores.now();
    const upload: Upload = {
      ...input,
      id: randomText(22),
      registry: grant.registry.slug,
      packageName,
      version,
      path,
      partSizeBytes: Math.max(PART_BYTES, Math.ceil(input.sizeBytes / MAX_PARTS)),
      multipartId: multipart.uploadId,
      startedBy: actorName(grant.caller.principal),
      createdAtMs: nowMs,
      expiresAtMs: nowMs + UPLOAD_HOURS * 3_600_000,
    };
    await this.#stores.table.write([createUploadOp(upload)]);
    return upload;
  }

  /** The caller's own upload into this registry. @throws {NotFoundError} */
  async get(grant: RegistryGrant, id: string): Promise<Upload> {
    const item = await this.#stores.table.get(uploadKey(id));
    const upload = item === undefined ? undefined : toUpload(item);
    const own =
      upload !== undefined &&
      upload.registry === grant.registry.slug &&
      upload.startedBy === actorName(grant.caller.principal) &&
      upload.expiresAtMs > this.#stores.now();
    if (!own) throw new NotFoundError("upload", id);
    return upload;
  }

  /** Slug of the registry that an upload belongs to. @throws {NotFoundError} */
  async registryOf(id: string): Promise<string> {
    const item = id.length > 64 ? undefined : await this.#stores.table.get(uploadKey(id));
    if (item === undefined) throw new NotFoundError("upload", id);
    return toUpload(item).registry;
  }

  partCount(upload: Upload): number {
    return Math.max(1, Math.ceil(upload.sizeBytes / upload.partSizeBytes));
  }

  partSize(upload: Upload, partNumber: number): number {
    return Math.min(
      upload.partSizeBytes,
      upload.sizeBytes - (partNumber - 1) * upload.partSizeBytes,
    );
  }

  /** A ticket to PUT one part. @throws {InvalidInputError} for a number that the upload does not have. */
  async partTicket(upload: Upload, partNumber: number): Promise<Ticket> {
    const count = this.partCount(upload);
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > count) {
      throw new InvalidInputError(`This upload has the parts 1 to ${count}, not ${partNumber}.`);
    }
    return this.#stores.blobs.partTicket({
      uploadId: upload.multipartId,
      partNumber,
      sizeBytes: this.partSize(upload, partNumber),
      expiresInSeconds: TICKET_SECONDS,
    });
  }

  /** Parts that have arrived, ascending. @throws {NotFoundError} */
  async listParts(upload: Upload): Promise<readonly UploadedPart[]> {
    if (upload.digests !== undefined) {
      return Array.from({ length: this.partCount(upload) }, (_, position) => ({
        partNumber: position + 1,
        etag: "",
        sizeBytes: this.partSize(upload, position + 1),
      }));
    }
    try {
      return await this.#stores.blobs.listParts(upload.multipartId);
    } catch (error) {
      throw error instanceof MultipartNotFoundError
        ? new NotFoundError("upload", upload.id)
        : error;
    }
  }

  /**
   * Verifies the bytes and has `publish`, the intake of the registry's ecosystem, make of them what they are.
   *
   * @returns the digests of the bytes.
   * @throws {InvalidInputError} while parts are missing, {@link ChecksumMismatchError} when the bytes are not
   *   what was announced (the upload is then over), and whatever `publish` throws.
   */
  async complete(upload: Upload, publish: (file: UploadedFile) => Promise<void>): Promise<Digests> {
    const digests = upload.digests ?? (await this.#join(upload));
    const { packageName, version, path, contentType, sizeBytes } = upload;
    await publish({ packageName, version, path, contentType, sizeBytes, digests });
    await this.#stores.table.write([deleteUploadOp(upload.id)]);
    return digests;
  }

  /** Joins the parts, and notes it: a publish that fails now, for want of a store, say, can be repeated. */
  async #join(upload: Upload): Promise<Digests> {
    const partCount = await this.#requireParts(upload);
    try {
      const blob = await this.#stores.blobs.completeMultipart(upload.multipartId, {
        partCount,
        algorithms: FILE_DIGESTS,
        expected: { sha256: upload.sha256 },
        expectedSizeBytes: upload.sizeBytes,
      });
      const digests = requireDigests(blob.digests);
      await this.#stores.table.write([joinedUploadOp(upload.id, digests)]);
      return digests;
    } catch (error) {
      if (error instanceof MultipartNotFoundError) throw new NotFoundError("upload", upload.id);
      if (!(error instanceof DigestMismatchError)) throw error;
      await this.#stores.table.write([deleteUploadOp(upload.id)]);
      throw new ChecksumMismatchError(`${error.message}; start a new upload.`);
    }
  }

  /** The number of parts, all of which have arrived. @throws {InvalidInputError} naming one that has not. */
  async #requireParts(upload: Upload): Promise<number> {
    const arrived = new Map(
      (await this.listParts(upload)).map(({ partNumber, sizeBytes }) => [partNumber, sizeBytes]),
    );
    const partCount = this.partCount(upload);
    for (let number = 1; number <= partCount; number++) {
      if (arrived.get(number) !== this.partSize(upload, number)) {
        throw new InvalidInputError(
          `Part ${number} of ${partCount} has not arrived; send it, then complete again.`,
        );
      }
    }
    return partCount;
  }

  async abort(upload: Upload): Promise<void> {
    await this.#stores.blobs.abortMultipart(upload.multipartId);
    await this.#stores.table.write([deleteUploadOp(upload.id)]);
  }
}
