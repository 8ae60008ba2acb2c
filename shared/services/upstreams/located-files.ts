import { NotFoundError, UpstreamFailedError } from "../../errors.ts";
import {
  putExpiringCopyOp,
  toUpstreamCopy,
  upstreamCopyKey,
} from "../../records/upstream-copies.ts";
import type { AvailableFile } from "../catalogue.ts";
import type { Stores } from "../stores.ts";
import { nothing } from "./upstream-documents.ts";
import type { FileQuestion, UpstreamFiles } from "./upstream-files.ts";

/**
 * Files that no document lists, which upstreams are asked for by their path. Clients ask every repository for
 * everything, so what an upstream does not have is remembered for its time; so is that a file which may change was
 * just looked at.
 */
export class LocatedFiles {
  readonly #stores: Pick<Stores, "table" | "now" | "log">;
  readonly #files: UpstreamFiles;

  constructor(stores: Pick<Stores, "table" | "now" | "log">, files: UpstreamFiles) {
    this.#stores = stores;
    this.#files = files;
  }

  /**
   * The file; `cached` is what is here of it. `undefined` when the upstream does not have it, or is offline.
   *
   * @throws {UpstreamFailedError} when it does not say and nothing is here.
   */
  async find(
    question: FileQuestion,
    cached: AvailableFile | undefined,
  ): Promise<AvailableFile | undefined> {
    const { upstream, file } = question;
    if (upstream.offline || (cached !== undefined && file.changes !== true)) return cached;
    const { table } = this.#stores;
    const item = await table.get(this.#key(question));
    const state = item === undefined ? undefined : toUpstreamCopy(item).state;
    if (state === "missing") return undefined;
    if (state === "present" && cached !== undefined) return cached;
    try {
      const found = await this.#files.get(question);
      if (file.changes === true) await this.#remember(question, "present");
      return found;
    } catch (error) {
      if (error instanceof UpstreamFailedError && cached !== undefined) {
        this.#stores.log.warn("upstream.stale", { upstream: upstream.key, why: error.message });
        return cached;
      }
      if (!(error instanceof NotFoundError)) throw error;
      await this.#remember(question, "missing");
      return undefined;
    }
  }

  #key({ registry, packageName, version, file }: FileQuestion) {
    return upstreamCopyKey(registry.id, packageName, nameOf(version, file.path));
  }

  /** For as long as it is believed, which bounds how many of these there are. */
  async #remember(question: FileQuestion, state: "present" | "missing"): Promise<void> {
    const { registry, upstream, packageName, version, file } = question;
    const { documentTtlSeconds, missingTtlSeconds } = upstream;
    const ttlSeconds = state === "present" ? documentTtlSeconds : missingTtlSeconds;
    if (ttlSeconds === 0) return;
    const checkedAtMs = this.#stores.now();
    const copy = { ...nothing(nameOf(version, file.path)), state, checkedAtMs };
    const expiresAtSeconds = Math.ceil(checkedAtMs / 1000) + ttlSeconds;
    await this.#stores.table.write([
      putExpiringCopyOp(registry.id, packageName, copy, expiresAtSeconds),
    ]);
  }
}

const nameOf = (version: string, path: string): string => `file ${version}/${path}`;
