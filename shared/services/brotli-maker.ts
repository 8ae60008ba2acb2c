import type { RegistryEvent } from "../domain/audit.ts";
import { ConditionFailedError } from "../ports/table.ts";
import { addBrotliOp, documentKey, toDocument } from "../records/documents.ts";
import { brotli } from "./compression.ts";
import { documentText } from "./documents.ts";
import type { EventConsumer } from "./events.ts";
import type { Ecosystems, Stores } from "./stores.ts";

/** A brotli form larger than this does not fit a row beside the gzip form. */
const MAX_BROTLI_BYTES = 90 * 1024;
/** Brotli takes off a fifth at most, so what is larger than this is not worth the try. */
const MAX_GZIP_BYTES = MAX_BROTLI_BYTES * 1.25;

/** Makes the brotli form of documents that were too large to get it with the publish itself. */
export class BrotliMaker implements EventConsumer {
  readonly name = "brotli";
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;

  constructor(stores: Stores, ecosystems: Ecosystems) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
  }

  async consume(events: readonly RegistryEvent[]): Promise<void> {
    const packages = new Map(
      events
        .filter((event) => event.package !== "")
        .map((event) => [`${event.registryId}#${event.package}`, event]),
    );
    for (const event of packages.values()) await this.#makeFor(event.registryId, event.package);
  }

  async #makeFor(registryId: string, packageName: string): Promise<void> {
    const { table, blobs } = this.#stores;
    const kinds = Object.values(this.#ecosystems).flatMap(({ renderers }) =>
      renderers.map(({ kind }) => kind),
    );
    const items = await table.getMany(
      kinds.map((kind) => documentKey(registryId, packageName, kind)),
    );
    for (const item of items) {
      if (item === undefined) continue;
      const document = toDocument(item);
      if (document.brotli.length > 0 || document.gzip.length > MAX_GZIP_BYTES) continue;
      // Too large for a row even as gzip.
      if (document.blobSha256 !== "") continue;
      const body = await brotli(Buffer.from(await documentText(blobs, document)));
      if (body.length > MAX_BROTLI_BYTES) continue;
      try {
        await table.write([addBrotliOp(registryId, packageName, document, body)]);
      } catch (error) {
        // The document changed meanwhile; that change has an event of its own.
        if (!(error instanceof ConditionFailedError)) throw error;
      }
    }
  }
}
