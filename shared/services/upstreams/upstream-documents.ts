import { UpstreamFailedError } from "../../errors.ts";
import type { Registry } from "../../domain/registry.ts";
import type { Upstream } from "../../domain/upstream.ts";
import type { OutboundAnswer } from "../../ports/outbound-http.ts";
import type { UpstreamCopy } from "../../records/upstream-copies.ts";
import type { Stores } from "../stores.ts";
import { readBody } from "../outbound-body.ts";
import type { UpstreamQuestions } from "../views/listing.ts";
import { SingleFlight } from "./single-flight.ts";
import { asFailure, type UpstreamClient } from "./upstream-client.ts";
import {
  type CopyQuestion,
  type Fetched,
  nothing,
  purgedMeanwhile,
  UpstreamCopies,
} from "./upstream-copies.ts";
import type { HearRead, UpstreamRead } from "./upstream-read.ts";
import { questionsTo } from "./upstream-questions.ts";

/** Decoded. The largest packument of the public registry has about 100 MB. */
const MAX_DOCUMENT_BYTES = 256 * 1024 * 1024;
const WAIT_FOR_OTHERS_MS = 60_000;
/** After a failure, copies are served without asking for so long, so that an outage does not cost each read a time-out. */
export const PAUSE_MS = 5_000;
/** While the upstream fails, that something is missing there is believed for so long: another registry may have it. */
export const STALE_MISSING_MS = 7 * 86_400_000;

/** One document of an upstream. */
export interface DocumentQuestion extends CopyQuestion {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Only what this accepts becomes a copy. @throws {SyntaxError} with what is wrong. */
  readonly check: (body: Uint8Array, from: { url: string; contentType: string }) => void;
  /** What is kept in the place of a document that was accepted; absent: the document. */
  readonly amend?: (
    body: Uint8Array,
    from: { url: string; contentType: string },
  ) => Promise<Uint8Array>;
}

/** A copy, and words when the upstream could not be asked whether it still holds. */
export interface KnownCopy {
  readonly copy: UpstreamCopy;
  readonly stale: string;
}

/** Asks an upstream; `known` is the copy that there is. @throws {UpstreamFailedError} when it does not say. */
export type Fetch = (known: UpstreamCopy | undefined) => Promise<Fetched>;

/** Copies of upstream documents: asked once however many want them, kept for their time, and served when the upstream fails. */
export class UpstreamDocuments {
  readonly #stores: Stores;
  readonly #copies: UpstreamCopies;
  readonly #client: UpstreamClient;
  readonly #flights: SingleFlight<KnownCopy>;
  readonly #hear: HearRead;
  readonly #pausedUntilMs = new Map<string, number>();

  constructor(stores: Stores, client: UpstreamClient, hear: HearRead) {
    this.#hear = hear;
    this.#stores = stores;
    this.#copies = new UpstreamCopies(stores);
    this.#client = client;
    this.#flights = new SingleFlight(stores, WAIT_FOR_OTHERS_MS);
  }

  /**
   * What is known of a document, asking the upstream when that is too old. `known` is the copy as just read.
   *
   * @throws {UpstreamFailedError} when the upstream does not say and there is no copy.
   */
  async askKnowing(
    question: DocumentQuestion,
    known: UpstreamCopy | undefined,
  ): Promise<KnownCopy> {
    return this.#askKnowing(question, known, (latest) => this.#fetch(question, latest));
  }

  /** As {@link UpstreamDocuments.askKnowing}, after a look at the copy that there is. */
  async ask(question: DocumentQuestion): Promise<KnownCopy> {
    return this.askKnowing(question, await this.#copies.find(question));
  }

  /** As {@link UpstreamDocuments.ask}, for protocols that ask in ways of their own. */
  async askWith(question: CopyQuestion, fetch: Fetch): Promise<KnownCopy> {
    return this.#askKnowing(question, await this.#copies.find(question), fetch);
  }

  async #askKnowing(
    question: CopyQuestion,
    known: UpstreamCopy | undefined,
    fetch: Fetch,
  ): Promise<KnownCopy> {
    const { registry, upstream, packageName, name } = question;
    if (upstream.offline || (known !== undefined && this.#isFresh(upstream, known))) {
      this.#tell(upstream, "cached");
      return { copy: known ?? nothing(name), stale: "" };
    }
    if (this.#mayServe(known) && this.#isPaused(upstream)) {
      this.#tell(upstream, "stale");
      return served(known, upstream);
    }
    return this.#flights.run(
      `document ${registry.id} ${packageName} ${name}`,
      async () => {
        const now = await this.#copies.find(question);
        return now !== undefined && this.#isFresh(upstream, now)
          ? { copy: now, stale: "" }
          : undefined;
      },
      async () => this.#refresh(question, await this.#copies.find(question), fetch),
    );
  }

  /** As {@link UpstreamCopies.body}. */
  async body(registry: Registry, packageName: string, copy: UpstreamCopy): Promise<Uint8Array> {
    return this.#copies.body(registry, packageName, copy);
  }

  /** Asks the same upstream for what a document does not say; for {@link DocumentQuestion.amend}. */
  questions(upstream: Upstream): UpstreamQuestions {
    return questionsTo(this.#client, upstream);
  }

  #isFresh(upstream: Upstream, { state, checkedAtMs }: UpstreamCopy): boolean {
    if (upstream.offline && state === "present") return true;
    const { documentTtlSeconds, missingTtlSeconds } = upstream;
    const ttl = state === "present" ? documentTtlSeconds : missingTtlSeconds;
    return this.#stores.now() < checkedAtMs + ttl * 1000;
  }

  /** Whether a copy serves while the upstream fails. */
  #mayServe(known: UpstreamCopy | undefined): known is UpstreamCopy {
    return (
      known !== undefined &&
      (known.state === "present" || this.#stores.now() < known.checkedAtMs + STALE_MISSING_MS)
    );
  }

  #isPaused({ id }: Upstream): boolean {
    return this.#stores.now() < (this.#pausedUntilMs.get(id) ?? 0);
  }

  async #refresh(
    question: CopyQuestion,
    known: UpstreamCopy | undefined,
    fetch: Fetch,
  ): Promise<KnownCopy> {
    const { upstream } = question;
    try {
      let fetched = await fetch(known);
      let copy = await this.#copies.update(question, known, fetched);
      if (copy === undefined) {
        fetched = await fetch(undefined);
        copy = await this.#copies.update(question, undefined, fetched);
      }
      if (copy === undefined) throw purgedMeanwhile();
      this.#pausedUntilMs.delete(upstream.id);
      if (fetched.kind === "present") this.#tell(upstream, "fetched", fetched.body.length);
      else this.#tell(upstream, fetched.kind);
      return { copy, stale: "" };
    } catch (error) {
      if (!(error instanceof UpstreamFailedError)) throw error;
      const mayServe = this.#mayServe(known);
      this.#tell(upstream, mayServe ? "stale" : "failed");
      if (!mayServe) throw error;
      this.#pausedUntilMs.set(upstream.id, this.#stores.now() + PAUSE_MS);
      this.#stores.log.warn("upstream.stale", { upstream: upstream.key, why: error.message });
      return served(known, upstream);
    }
  }

  #tell({ key: upstream }: Upstream, outcome: UpstreamRead["outcome"], bytes = 0): void {
    this.#hear({ upstream, kind: "document", outcome, bytes });
  }

  async #fetch(question: DocumentQuestion, known: UpstreamCopy | undefined): Promise<Fetched> {
    const { upstream } = question;
    const answer = await this.#client.send(upstream, {
      target: question.path,
      headers: { ...question.headers, "accept-encoding": "gzip", ...validators(known) },
      maxBodyBytes: MAX_DOCUMENT_BYTES,
    });
    const { status, headers, url } = answer;
    const isUnchanged = status === 304 && known?.state === "present";
    if (isUnchanged || status === 404 || status === 410) {
      await answer.body.cancel().catch(() => undefined);
      return { kind: isUnchanged ? "unchanged" : "missing" };
    }
    if (status !== 200) throw await this.#client.refusal(upstream, answer);
    const contentType = headers.get("content-type") ?? "";
    const document = await this.#readBody(upstream, answer);
    try {
      question.check(document, { url, contentType });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new UpstreamFailedError(
        `The upstream "${upstream.key}" sent a document that cannot be used: ${error.message}`,
      );
    }
    const body = (await question.amend?.(document, { url, contentType })) ?? document;
    const copy = {
      etag: (headers.get("etag") ?? "").slice(0, 1000),
      lastModified: (headers.get("last-modified") ?? "").slice(0, 100),
      contentType: contentType.slice(0, 200),
      // A signature in the query is nobody's business later.
      url: url.split("?", 1)[0] ?? "",
    };
    return { kind: "present", copy, body };
  }

  async #readBody(upstream: Upstream, answer: OutboundAnswer): Promise<Uint8Array> {
    try {
      return await readBody(answer, MAX_DOCUMENT_BYTES);
    } catch (error) {
      throw asFailure(upstream, error);
    }
  }
}

const served = (copy: UpstreamCopy, upstream: Upstream): KnownCopy => ({
  copy,
  stale: `the upstream ${upstream.key} does not answer`,
});

/** https://www.rfc-editor.org/rfc/rfc9110#section-13.1 */
function validators(known: UpstreamCopy | undefined): Readonly<Record<string, string>> {
  if (known?.state !== "present") return {};
  return {
    ...(known.etag === "" ? {} : { "if-none-match": known.etag }),
    ...(known.etag !== "" || known.lastModified === ""
      ? {}
      : { "if-modified-since": known.lastModified }),
  };
}
