import { type Digests, FILE_DIGESTS, requireDigests } from "../../domain/digest.ts";
import type { Registry } from "../../domain/registry.ts";
import type { Upstream } from "../../domain/upstream.ts";
import { NotFoundError, UpstreamFailedError } from "../../errors.ts";
import { type ByteStream, BlobTooLargeError, DigestMismatchError } from "../../ports/blobs.ts";
import type { OutboundAnswer } from "../../ports/outbound-http.ts";
import { fileKey, toFile } from "../../records/files.ts";
import { toVersion, versionKey } from "../../records/versions.ts";
import type { AvailableFile } from "../catalogue.ts";
import type { Collector } from "../collector.ts";
import type { PackageChanges } from "../package-changes.ts";
import type { Stores } from "../stores.ts";
import type { ListedFile } from "../views/listing.ts";
import { digestsBeside, requireNoPage } from "./announced-digests.ts";
import { type Arrival, asSoonAsItArrives, relay } from "./relay.ts";
import { bodyWithin, type FetchLimit } from "./fetch-limit.ts";
import { type FileQuestion, type Kept, KeptFiles } from "./kept-files.ts";
import { type FetchLimits, UpstreamFetches } from "./upstream-fetches.ts";
import { type HearRead, heardFetch } from "./upstream-read.ts";
import { asFailure, type UpstreamClient } from "./upstream-client.ts";
import { purgedMeanwhile } from "./upstream-copies.ts";

/** Smaller ones are here before a client would notice, and are verified before it gets a byte. */
export const MIN_STREAMED_BYTES = 4 * 1024 * 1024;

interface Options {
  /** `inline`: large files may go to who asked first while they arrive, because answers with bytes leave from here. */
  readonly downloads: "inline" | "redirect";
  readonly fetchLimits?: FetchLimits;
  readonly upstreamRead?: HearRead;
}

/** Files of upstreams: fetched once however many want them, verified, and kept as files of the proxy registry. */
export class UpstreamFiles {
  readonly #stores: Stores;
  readonly #client: UpstreamClient;
  readonly #kept: KeptFiles;
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
    this.#kept = new KeptFiles(stores, changes, collector);
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
      const value = this.#kept.arriving({ ...question, file }, publishedAtMs, sizeBytes, sent);
      arrive({ value, end });
    }
    const kept = await this.#store(upstream, file.path, file.expected, body);
    if (Object.keys(file.expected).length === 0) {
      await requireNoPage(this.#stores.blobs, upstream, file.path, kept);
    }
    await this.#kept.record({ ...question, file }, kept, publishedAtMs);
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
