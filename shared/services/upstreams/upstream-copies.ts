import { createHash } from "node:crypto";
import { UnavailableError } from "../../errors.ts";
import type { Registry } from "../../domain/registry.ts";
import type { Upstream } from "../../domain/upstream.ts";
import { ConditionFailedError, type WriteOp } from "../../ports/table.ts";
import { documentKey, toDocument } from "../../records/documents.ts";
import { listPackageOp } from "../../records/packages.ts";
import {
  copyKind,
  putUpstreamCopyOp,
  toUpstreamCopy,
  type UpstreamCopy,
  upstreamCopyKey,
} from "../../records/upstream-copies.ts";
import { unzip } from "../compression.ts";
import { documentBody, wholeDocument } from "../documents.ts";
import type { Stores } from "../stores.ts";

/** What a proxy keeps of an upstream for one package. */
export interface CopyQuestion {
  readonly registry: Registry;
  readonly upstream: Upstream;
  readonly packageName: string;
  /** Names it within its package. */
  readonly name: string;
}

/** What an upstream said when it was asked whether a copy still holds. */
export type Fetched =
  | { readonly kind: "missing" | "unchanged" }
  | {
      readonly kind: "present";
      readonly copy: Pick<UpstreamCopy, "etag" | "lastModified" | "contentType" | "url">;
      readonly body: Uint8Array;
    };

/** The rows and documents in which a proxy keeps what upstreams said. */
export class UpstreamCopies {
  readonly #stores: Stores;

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  /** What is kept; `undefined` when nobody asked yet, or all was purged. */
  async find({ registry, packageName, name }: CopyQuestion): Promise<UpstreamCopy | undefined> {
    const item = await this.#stores.table.get(upstreamCopyKey(registry.id, packageName, name));
    return item === undefined ? undefined : toUpstreamCopy(item);
  }

  /** The document as it came, decoded. @throws {UnavailableError} when it was purged meanwhile. */
  async body(registry: Registry, packageName: string, copy: UpstreamCopy): Promise<Uint8Array> {
    const key = documentKey(registry.id, packageName, copyKind(copy.name));
    const item = await this.#stores.table.get(key);
    if (item === undefined) throw purgedMeanwhile();
    return unzip(await documentBody(this.#stores.blobs, toDocument(item)));
  }

  /** Keeps what was fetched. When somebody else was quicker, theirs counts; `undefined` when theirs was a purge. */
  async update(
    question: CopyQuestion,
    known: UpstreamCopy | undefined,
    fetched: Fetched,
  ): Promise<UpstreamCopy | undefined> {
    const checkedAtMs = Math.max(this.#stores.now(), (known?.checkedAtMs ?? 0) + 1);
    if (fetched.kind === "unchanged" && known !== undefined) {
      return this.#keep(question, known, { ...known, checkedAtMs }, []);
    }
    if (fetched.kind !== "present") {
      return this.#keep(question, known, { ...nothing(question.name), checkedAtMs }, []);
    }
    const { body } = fetched;
    const sha256 = createHash("sha256").update(body).digest("hex");
    const { name } = question;
    const copy: UpstreamCopy = { name, state: "present", sha256, ...fetched.copy, checkedAtMs };
    const ops =
      known?.sha256 === sha256
        ? []
        : await this.#storeOps(question, body, fetched.copy.contentType);
    return this.#keep(question, known, copy, ops);
  }

  async #storeOps(
    { registry, packageName, name }: CopyQuestion,
    body: Uint8Array,
    contentType: string,
  ): Promise<readonly WriteOp[]> {
    const key = documentKey(registry.id, packageName, copyKind(name));
    const item = await this.#stores.table.get(key);
    const { ops } = await wholeDocument(this.#stores, {
      registryId: registry.id,
      packageName,
      kind: copyKind(name),
      contentType,
      baseUrl: "",
      text: body,
      previous: item === undefined ? undefined : toDocument(item),
    });
    // By this row the package is found when the registry is deleted.
    return [...ops, listPackageOp(registry.id, packageName)];
  }

  /** As {@link UpstreamCopies.update}. */
  async #keep(
    question: CopyQuestion,
    known: UpstreamCopy | undefined,
    copy: UpstreamCopy,
    ops: readonly WriteOp[],
  ): Promise<UpstreamCopy | undefined> {
    const { registry, packageName } = question;
    try {
      await this.#stores.table.write([
        putUpstreamCopyOp(registry.id, packageName, copy, known),
        ...ops,
      ]);
      return copy;
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
      return this.find(question);
    }
  }
}

/** Between a look at what is here and its use it went; whoever asks again has it fetched anew. */
export const purgedMeanwhile = (): UnavailableError =>
  new UnavailableError("The copy was purged while it was asked for; ask again.");

/** A copy of what is not there. */
export const nothing = (name: string): UpstreamCopy => ({
  name,
  state: "missing",
  sha256: "",
  etag: "",
  lastModified: "",
  contentType: "",
  url: "",
  checkedAtMs: 0,
});
