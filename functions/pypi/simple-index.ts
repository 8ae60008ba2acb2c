import { LRUCache } from "lru-cache";
import type { StoredDocument } from "../../shared/records/documents.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import { buildGzip } from "../../shared/services/appendable-gzip.ts";
import { inlineDocument } from "../../shared/services/documents.ts";
import type { ListedNames } from "../../shared/services/package-listing.ts";
import type { Services } from "../../shared/services/services.ts";
import { API_VERSION, closePage, escapeHtml, openPage } from "./render.ts";

/** Memory for rendered indexes of whole registries. */
const MAX_BYTES = 32 * 1024 * 1024;

/** The index of a registry's projects, rendered once for each change of the listing. */
export class SimpleIndex {
  readonly #services: Services;
  readonly #rendered = new LRUCache<string, StoredDocument>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ gzip }) => gzip.length,
  });

  constructor(services: Services) {
    this.#services = services;
  }

  /** The projects that the caller may read, as a document with relative links. */
  async render(grant: RegistryGrant, form: "json" | "html"): Promise<StoredDocument> {
    const { packageListing, stores } = this.#services;
    const { registry, caller } = grant;
    const listed = await packageListing.read(registry.id);
    const names = listed.names.filter((name) => grant.may("packages:read", name));
    // A token for some projects only has an index of its own.
    const isWhole = names.length === listed.names.length;
    const key = `${registry.id}#${listed.count}#${form}`;
    const known = isWhole ? this.#rendered.get(key) : undefined;
    if (known !== undefined) return { ...known, baseUrl: caller.baseUrl };
    const { opening, entries, separator, closing } = TEXTS[form]({ ...listed, names });
    const document = inlineDocument(
      { kind: `index-${form}`, contentType: "", baseUrl: caller.baseUrl },
      await buildGzip(opening, entries, separator, closing),
      stores.now(),
    );
    if (isWhole) this.#rendered.set(key, document);
    return document;
  }
}

interface IndexText {
  readonly opening: string;
  readonly entries: readonly string[];
  readonly separator: string;
  readonly closing: string;
}

/** https://packaging.python.org/en/latest/specifications/simple-repository-api/#project-list */
const TEXTS: Readonly<Record<"json" | "html", (listed: ListedNames) => IndexText>> = {
  json: ({ count, names }) => ({
    opening: `{"meta":${JSON.stringify({ "_last-serial": count, "api-version": API_VERSION })},"projects":[`,
    entries: names.map((name) => JSON.stringify({ name })),
    separator: ",",
    closing: "]}",
  }),
  html: ({ count, names }) => ({
    opening: openPage("Simple index", []),
    entries: names.map(
      (name) => `<a href="${encodeURIComponent(name)}/">${escapeHtml(name)}</a><br />`,
    ),
    separator: "\n",
    closing: closePage(count),
  }),
};
