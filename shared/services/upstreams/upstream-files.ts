import { type Digests, FILE_DIGESTS, requireDigests } from "../../domain/digest.ts";
import type { JsonObject } from "../../domain/json.ts";
import type { Package, PackageFile, Version } from "../../domain/package.ts";
import type { Caller } from "../../domain/principal.ts";
import { ANONYMOUS } from "../../domain/principal.ts";
import type { Registry } from "../../domain/registry.ts";
import type { Upstream } from "../../domain/upstream.ts";
import { NotFoundError, UpstreamFailedError } from "../../errors.ts";
import { type ByteStream, BlobTooLargeError, DigestMismatchError } from "../../ports/blobs.ts";
import type { OutboundAnswer } from "../../ports/outbound-http.ts";
import { claimBlobOp } from "../../records/blob-references.ts";
import { fileKey, toFile } from "../../records/files.ts";
import { addToVersionOp, createVersionOp, sequenceOp } from "../../records/versions.ts";
import { toVersion, versionKey } from "../../records/versions.ts";
import { RegistryGrant } from "../access.ts";
import type { AvailableFile } from "../catalogue.ts";
import type { Collector } from "../collector.ts";
import { fileOps, type NewFile, replaceOps } from "../new-version.ts";
import type { CurrentPackage, PackageChange, PackageChanges } from "../package-changes.ts";
import type { Stores } from "../stores.ts";
import type { ListedFile } from "../views/listing.ts";
import { digestsBeside, requireNoPage } from "./announced-digests.ts";
import { type Arrival, asSoonAsItArrives, relay } from "./relay.ts";
import { bodyWithin, type FetchLimit } from "./fetch-limit.ts";
import { type FetchLimits, UpstreamFetches } from "./upstream-fetches.ts";
import { type HearRead, heardFetch } from "./upstream-read.ts";
import { asFailure, type UpstreamClient } from "./upstream-client.ts";
import { purgedMeanwhile } from "./upstream-documents.ts";

/** Smaller ones are here before a client would notice, and are verified before it gets a byte. */
export const MIN_STREAMED_BYTES = 4 * 1024 * 1024;

interface Options {
  /** `inline`: large files may go to who asked first while they arrive, because answers with bytes leave from here. */
  readonly downloads: "inline" | "redirect";
  readonly fetchLimits?: FetchLimits;
  readonly upstreamRead?: HearRead;
}

type Kept = Pick<NewFile, "sizeBytes" | "digests">;

/** What is here of a file already. */
interface Known {
  readonly version: Version | undefined;
  readonly file: PackageFile | undefined;
}

/** A file that an upstream has, and what is known of its version. */
export interface FileQuestion {
  readonly registry: Registry;
  readonly upstream: Upstream;
  readonly packageName: string;
  readonly version: string;
  /** Unix milliseconds; 0: not known, and the time of the file's last change is taken. */
  readonly publishedAtMs: number;
  readonly metadata: JsonObject;
  /** What the package says of itself. */
  readonly description: string;
  readonly file: ListedFile;
}

/** Files of upstreams: fetched once however many want them, verified, and kept as files of the proxy registry. */
export class UpstreamFiles {
  readonly #stores: Stores;
  readonly #client: UpstreamClient;
  readonly #changes: PackageChanges;
  readonly #collector: Collector;
  readonly #mayStream: boolean;
  readonly #hear: HearRead;
  readonly #fetches: UpstreamFetches<AvailableFile>;

  constructor(
    stores: Stores,
    client: UpstreamClient,
    changes: PackageChanges,
    collector: Collector,
    { downloads, fetchLimits, upstreamRead = () => {} }: Options,
  ) {
    this.#stores = stores;
    this.#client = client;
    this.#changes = changes;
    this.#collector = collector;
    this.#mayStream = downloads === "inline";
    this.#hear = upstreamRead;
    this.#fetches = new UpstreamFetches(stores, fetchLimits);
  }

  /** The file if it is here already, whatever its upstream says now. */
  async find(
    registry: Registry,
    packageName: string,
    version: string,
    path: string,
  ): Promise<AvailableFile | undefined> {
    const [fileItem, versionItem] = await this.#stores.table.getMany([
      fileKey(registry.id, packageName, version, path),
      versionKey(registry.id, packageName, version),
    ]);
    if (fileItem === undefined || versionItem === undefined) return undefined;
    return { file: toFile(fileItem), version: () => toVersion(versionItem) };
  }

  /** Tells that a file was here already. */
  heardCached({ key: upstream }: Upstream): void {
    this.#hear({ upstream, kind: "file", outcome: "cached", bytes: 0 });
  }

  /**
   * The file, fetched unless it is here. Nothing is kept of bytes that are not what the upstream's document says.
   *
   * @throws {NotFoundError} when the upstream has it no more, {@link UpstreamFailedError} for all other failures.
   */
  async get(question: FileQuestion): Promise<AvailableFile> {
    const { registry, packageName, version, file } = question;
    const find = (): Promise<AvailableFile | undefined> =>
      this.find(registry, packageName, version, file.path);
    return asSoonAsItArrives((arrive) =>
      this.#fetches.run(
        {
          registry: registry.slug,
          registryId: registry.id,
          packageName,
          version,
          path: file.path,
        },
        { find, changes: file.changes === true },
        async (limit) => {
          await heardFetch(this.#hear, question.upstream, () =>
            this.#fetch(question, limit, arrive),
          );
          const found = await find();
          if (found === undefined) throw purgedMeanwhile();
          return found;
        },
      ),
    );
  }

  /** `arrive` is told of a large file as soon as it begins to come. */
  async #fetch(
    question: FileQuestion,
    limit: FetchLimit,
    arrive: (arrival: Arrival<AvailableFile>) => void,
  ): Promise<Kept> {
    const { upstream, file: wanted } = question;
    const answer = await this.#client.send(upstream, {
      target: wanted.url,
      headers: { accept: "*/*", "accept-encoding": "identity" },
      maxBodyBytes: upstream.maxFileBytes,
      ...(limit.signal === undefined ? {} : { signal: limit.signal }),
    });
    if (answer.status === 404 || answer.status === 410) {
      await answer.body.cancel().catch(() => undefined);
      throw new NotFoundError("file", wanted.path);
    }
    if (answer.status !== 200) throw await this.#client.refusal(upstream, answer);
    const file = { ...wanted, expected: await this.#expected(upstream, wanted, answer) };
    const changedAtMs = Date.parse(answer.headers.get("last-modified") ?? "");
    const publishedAtMs =
      question.publishedAtMs !== 0
        ? question.publishedAtMs
        : Number.isNaN(changedAtMs)
          ? this.#stores.now()
          : changedAtMs;
    const sizeBytes = Number(answer.headers.get("content-length") ?? 0);
    const isStreamed = this.#mayStream && sizeBytes >= MIN_STREAMED_BYTES;
    let body = await bodyWithin(limit, answer);
    if (isStreamed) {
      const { stored, sent, end } = relay(body);
      body = stored;
      const value = this.#arriving({ ...question, file }, publishedAtMs, sizeBytes, sent);
      arrive({ value, end });
    }
    const kept = await this.#store(upstream, file.path, file.expected, body);
    if (Object.keys(file.expected).length === 0) {
      await requireNoPage(this.#stores.blobs, upstream, file.path, kept);
    }
    await this.#record(question, { ...announced(file), ...kept }, publishedAtMs);
    return kept;
  }

  /** What is known of its bytes before they come: from its document, the answer's head, or a file beside it. */
  async #expected(
    upstream: Upstream,
    { expected, announced: announcedIn, sums }: ListedFile,
    { headers, body }: OutboundAnswer,
  ): Promise<Partial<Digests>> {
    const known = { ...announcedIn?.(headers), ...expected };
    if (sums === undefined || Object.keys(known).length > 0) return known;
    try {
      return await digestsBeside(this.#client, upstream, sums);
    } catch (error) {
      await body.cancel().catch(() => undefined);
      throw error;
    }
  }

  /** A file of which only what its upstream said is known yet. */
  #arriving(
    question: FileQuestion,
    publishedAtMs: number,
    sizeBytes: number,
    arriving: ByteStream,
  ): AvailableFile {
    const { registry, packageName, version, file } = question;
    const digests = { md5: "", sha1: "", sha256: "", sha512: "", ...file.expected };
    return {
      file: {
        registryId: registry.id,
        packageName,
        version,
        ...announced(file),
        sizeBytes,
        digests,
        createdAtMs: this.#stores.now(),
      },
      version: () => this.#version(question, 1, publishedAtMs, sizeBytes),
      arriving,
    };
  }

  async #store(
    upstream: Upstream,
    path: string,
    expected: Partial<Digests>,
    body: ByteStream,
  ): Promise<Kept> {
    try {
      const { sizeBytes, digests } = await this.#stores.blobs.put(body, {
        algorithms: FILE_DIGESTS,
        expected,
        maxSizeBytes: upstream.maxFileBytes,
      });
      return { sizeBytes, digests: requireDigests(digests) };
    } catch (error) {
      throw asStoringFailure(upstream, path, error);
    }
  }

  /** Makes it a file of the proxy: one transaction, and no other change of the version that others have made. */
  async #record(question: FileQuestion, file: NewFile, publishedAtMs: number): Promise<void> {
    const { registry, packageName } = question;
    const grant = new RegistryGrant(registry, PROXY);
    await this.#changes.apply(grant, packageName, async (current) => {
      await this.#collector.awaitUsable([file.digests.sha256]);
      const { table } = this.#stores;
      const [versionItem, fileItem] = await table.getMany([
        versionKey(registry.id, packageName, question.version),
        fileKey(registry.id, packageName, question.version, file.path),
      ]);
      const old = fileItem === undefined ? undefined : toFile(fileItem);
      const isSame = old?.digests.sha256 === file.digests.sha256;
      if (old !== undefined && (isSame || question.file.changes !== true)) return undefined;
      const known = versionItem === undefined ? undefined : toVersion(versionItem);
      return this.#change(question, current, { version: known, file: old }, file, publishedAtMs);
    });
  }

  #change(
    question: FileQuestion,
    current: CurrentPackage,
    { version: known, file: old }: Known,
    file: NewFile,
    publishedAtMs: number,
  ): PackageChange {
    const nowMs = this.#stores.now();
    const addedBytes = file.sizeBytes - (old?.sizeBytes ?? 0);
    const sequence = (current.package?.revision ?? 0) + 1;
    const version = known ?? this.#version(question, sequence, publishedAtMs, file.sizeBytes);
    return {
      package: this.#package(question, current.package, known === undefined),
      tags: current.tags,
      ops: [
        ...(known === undefined
          ? [createVersionOp(version), sequenceOp(version)]
          : [addToVersionOp(version, old === undefined ? 1 : 0, addedBytes)]),
        ...(old === undefined
          ? fileOps(version, file, nowMs)
          : replaceOps(version, file, old, nowMs)),
        claimBlobOp(file.digests.sha256),
      ],
      documents: { kind: "keep" },
      audit: [],
    };
  }

  #version(
    { registry, packageName, upstream, version, metadata }: FileQuestion,
    sequence: number,
    publishedAtMs: number,
    sizeBytes: number,
  ): Version {
    return {
      registryId: registry.id,
      packageName,
      version,
      state: "published",
      deprecation: "",
      sequence,
      publishedAtMs,
      publishedBy: upstream.key,
      publishRun: "",
      sizeBytes,
      fileCount: 1,
      metadata,
      deletedAtMs: 0,
      restoreUntilMs: 0,
    };
  }

  #package(question: FileQuestion, before: Package | undefined, isNew: boolean): Package {
    const nowMs = this.#stores.now();
    return {
      registryId: question.registry.id,
      name: question.packageName,
      state: "active",
      revision: 0,
      description: question.description.slice(0, 1000).toWellFormed(),
      keywords: [],
      // Of what is cached; what there is, the documents say.
      latestVersion: isNew ? question.version : (before?.latestVersion ?? question.version),
      versionCount: (before?.versionCount ?? 0) + (isNew ? 1 : 0),
      createdAtMs: before?.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
    };
  }
}

/** Why bytes of an upstream could not be stored, in words for the caller; anything else as it is. */
export function asStoringFailure(upstream: Upstream, what: string, error: unknown): unknown {
  if (error instanceof DigestMismatchError || error instanceof BlobTooLargeError) {
    return new UpstreamFailedError(
      `The upstream "${upstream.key}" sent ${what} with other bytes than it announced: ${error.message}.`,
    );
  }
  return asFailure(upstream, error);
}

/** What a file's row takes over from its upstream's document. */
const announced = ({
  path,
  contentType,
  publishedAtMs,
}: ListedFile): Pick<NewFile, "path" | "contentType" | "publishedAtMs"> => ({
  path,
  contentType,
  ...(publishedAtMs === undefined ? {} : { publishedAtMs }),
});

/** Nobody in particular: whoever asked first did not publish it. */
export const PROXY: Caller = { principal: ANONYMOUS, address: "", requestId: "", baseUrl: "" };
