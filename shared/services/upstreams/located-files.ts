import type { Upstream } from "../../domain/upstream.ts";
import { NotFoundError, UpstreamFailedError } from "../../errors.ts";
import {
  putExpiringCopyOp,
  toUpstreamCopy,
  type UpstreamCopy,
  upstreamCopyKey,
} from "../../records/upstream-copies.ts";
import type { AvailableFile } from "../catalogue.ts";
import type { Stores } from "../stores.ts";
import { nothing } from "./upstream-copies.ts";
import { PAUSE_MS, STALE_MISSING_MS } from "./upstream-documents.ts";
import type { FileQuestion } from "./kept-files.ts";
import type { UpstreamFiles } from "./upstream-files.ts";

/** Then it is forgotten what was learned of a file. */
const KEPT_SECONDS = STALE_MISSING_MS / 1000;

/**
 * Files that no document lists, which upstreams are asked for by their path. Clients ask every repository for
 * everything, so what an upstream does not have is remembered for its time; so is that a file which may change was
 * just looked at.
 */
export class LocatedFiles {
  readonly #stores: Pick<Stores, "table" | "now" | "log">;
  readonly #files: UpstreamFiles;
  readonly #pausedUntilMs = new Map<string, number>();

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
    const known = item === undefined ? undefined : toUpstreamCopy(item);
    const isMissing = known?.state === "missing";
    const before = isMissing ? undefined : cached;
    const isKnown = isMissing || cached !== undefined;
    if (isKnown && (this.#isFresh(upstream, known) || this.#isPaused(upstream))) return before;
    try {
      const found = await this.#files.get(question);
      this.#pausedUntilMs.delete(upstream.id);
      if (file.changes === true) await this.#remember(question, "present");
      return found;
    } catch (error) {
      if (error instanceof NotFoundError) {
        await this.#remember(question, "missing");
        return undefined;
      }
      // What was not there a while ago does not keep the next registry from being asked.
      if (!(error instanceof UpstreamFailedError) || !isKnown) throw error;
      this.#pausedUntilMs.set(upstream.id, this.#stores.now() + PAUSE_MS);
      this.#stores.log.warn("upstream.stale", { upstream: upstream.key, why: error.message });
      return before;
    }
  }

  #isFresh(upstream: Upstream, known: UpstreamCopy | undefined): boolean {
    if (known === undefined) return false;
    const { documentTtlSeconds, missingTtlSeconds } = upstream;
    const ttl = known.state === "present" ? documentTtlSeconds : missingTtlSeconds;
    return this.#stores.now() < known.checkedAtMs + ttl * 1000;
  }

  #isPaused({ id }: Upstream): boolean {
    return this.#stores.now() < (this.#pausedUntilMs.get(id) ?? 0);
  }

  #key({ registry, packageName, version, file }: FileQuestion) {
    return upstreamCopyKey(registry.id, packageName, nameOf(version, file.path));
  }

  async #remember(question: FileQuestion, state: "present" | "missing"): Promise<void> {
    const { registry, packageName, version, file } = question;
    const checkedAtMs = this.#stores.now();
    const copy = { ...nothing(nameOf(version, file.path)), state, checkedAtMs };
    const expiresAtSeconds = Math.ceil(checkedAtMs / 1000) + KEPT_SECONDS;
    await this.#stores.table.write([
      putExpiringCopyOp(registry.id, packageName, copy, expiresAtSeconds),
    ]);
  }
}

const nameOf = (version: string, path: string): string => `file ${version}/${path}`;
