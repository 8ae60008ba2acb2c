import { promisify } from "node:util";
import { constants, gunzip, gzip } from "node:zlib";
import type { Context } from "hono";
import { LRUCache } from "lru-cache";
import { TooLargeError } from "../errors.ts";
import type { StoredDocument } from "../records/documents.ts";
import { documentBody } from "../services/documents.ts";
import type { Services } from "../services/services.ts";
import { type AppEnv, isHead } from "./app.ts";
import { bodyBytes } from "./body-bytes.ts";
import { chooseEncoding, type Encoding, matchesEtag, staleWarning } from "./conditional.ts";

const decompress = promisify(gunzip);
const compress = promisify(gzip);

/** Memory for forms of documents that are not stored: plain text, and other base URLs. */
const DERIVED_BYTES = 4 * 1024 * 1024;

/** Long enough for a client that reconnects, short enough for a URL that leaks. */
const TICKET_SECONDS = 15 * 60;

const WITH_BROTLI: ReadonlySet<Encoding> = new Set(["br", "gzip", "identity"]);
const WITHOUT_BROTLI: ReadonlySet<Encoding> = new Set(["gzip", "identity"]);

/**
 * Answers with rendered documents. As a rule the stored bytes leave as they are; a client that takes no
 * compression, or came by another host name than the publisher, gets a form that is derived once and kept.
 */
export class DocumentSender {
  readonly #services: Services;
  readonly #derived = new LRUCache<string, Uint8Array>({
    maxSize: DERIVED_BYTES,
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  });

  constructor(services: Services) {
    this.#services = services;
  }

  /** `headers` are added as they are; `Vary: Accept` is up to the caller. */
  async send(
    c: Context<AppEnv>,
    document: StoredDocument,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const { baseUrl } = c.get("caller");
    const common = {
      etag: `W/"${document.etag}"`,
      // Always revalidated: what was just published or withdrawn must show, and a 304 is cheap.
      "cache-control": "private, no-cache",
      "last-modified": new Date(document.updatedAtMs).toUTCString(),
      ...staleWarning(document.stale),
      ...headers,
    };
    if (matchesEtag(c.req.header("if-none-match"), document.etag)) {
      return new Response(null, { status: 304, headers: common });
    }
    const acceptEncoding = c.req.header("accept-encoding");
    const { maxAnswerBytes } = this.#services.options;
    if (maxAnswerBytes !== undefined && document.lengthBytes > maxAnswerBytes) {
      const elsewhere = await this.#redirect(c, document, acceptEncoding, maxAnswerBytes, common);
      if (elsewhere !== undefined) return elsewhere;
    }
    const asStored = document.baseUrl === baseUrl;
    const available = asStored && document.brotli.length > 0 ? WITH_BROTLI : WITHOUT_BROTLI;
    const encoding = chooseEncoding(acceptEncoding, available);
    const isInRow = asStored && encoding === "gzip" && document.blobSha256 === "";
    const bytes = isInRow ? document.gzip : await this.#body(document, baseUrl, encoding);
    const whole: Record<string, string> = {
      ...common,
      "content-type": document.contentType,
      "content-length": String(bytes.length),
    };
    if (encoding !== "identity") whole["content-encoding"] = encoding;
    return new Response(bodyBytes(bytes), { headers: whole });
  }

  /** The document's text as this caller must see it. */
  async text(document: StoredDocument, baseUrl: string): Promise<Uint8Array> {
    return this.#derive(`text ${document.etag} ${baseUrl}`, async () => {
      const stored = await decompress(await documentBody(this.#services.stores.blobs, document));
      return document.baseUrl === baseUrl
        ? stored
        : Buffer.from(
            stored
              .toString("utf8")
              .replaceAll(`:"${document.baseUrl}/`, `:"${baseUrl}/`)
              // In HTML; in JSON a quote behind an equals sign would be escaped.
              .replaceAll(`="${document.baseUrl}/`, `="${baseUrl}/`),
          );
    });
  }

  /**
   * A redirect to the stored form of a longer document; `undefined` when that can be sent from here. Its links
   * start with the publisher's base URL, whatever host name the client came by.
   *
   * @throws {TooLargeError} for a client that takes no gzip, which is how such documents are stored.
   */
  async #redirect(
    c: Context<AppEnv>,
    document: StoredDocument,
    acceptEncoding: string | undefined,
    maxAnswerBytes: number,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response | undefined> {
    const { stores } = this.#services;
    if (chooseEncoding(acceptEncoding, WITHOUT_BROTLI) === "identity") {
      const remedy = 'Send "Accept-Encoding: gzip".';
      throw new TooLargeError("The document without compression", maxAnswerBytes, remedy);
    }
    const sha256 = document.blobSha256;
    const stored = sha256 === "" ? undefined : await stores.blobs.stat(sha256);
    if (stored === undefined || stored.sizeBytes <= maxAnswerBytes) return undefined;
    if (isHead(c)) {
      const length = { "content-length": String(stored.sizeBytes), "content-encoding": "gzip" };
      const type = { "content-type": document.contentType };
      return new Response(null, { headers: { ...headers, ...type, ...length } });
    }
    const ticket = await stores.blobs.downloadTicket({
      sha256,
      expiresInSeconds: TICKET_SECONDS,
      contentType: document.contentType,
      contentEncoding: "gzip",
    });
    return new Response(null, {
      status: 307,
      headers: { ...headers, location: ticket.url, "cache-control": "no-store" },
    });
  }

  async #body(document: StoredDocument, baseUrl: string, encoding: Encoding): Promise<Uint8Array> {
    if (encoding === "identity") return this.text(document, baseUrl);
    if (encoding === "br") return document.brotli;
    if (document.baseUrl === baseUrl) {
      return documentBody(this.#services.stores.blobs, document);
    }
    return this.#derive(`gzip ${document.etag} ${baseUrl}`, async () =>
      compress(await this.text(document, baseUrl), { level: constants.Z_BEST_SPEED }),
    );
  }

  async #derive(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    const made = await make();
    this.#derived.set(key, made);
    return made;
  }
}
