import { LRUCache } from "lru-cache";
import type { StoredDocument } from "../../shared/records/documents.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import { buildGzip } from "../../shared/services/appendable-gzip.ts";
import { inlineDocument } from "../../shared/services/documents.ts";
import type { ListedNames } from "../../shared/services/package-listing.ts";
import type { Services } from "../../shared/services/services.ts";
import { API_VERSION, CLOSE_PAGE, openPage, serialComment } from "./render.ts";
import { escapeHtml } from "./simple-file.ts";

/** Memory for rendered indexes of whole registries. */
const MAX_BYTES = 32 * 1024 * 1024;

const PAGE_NAMES = 100;
/** What a merged list may hold; each hundred is a read of every registry behind it. */
const MAX_MERGED_NAMES = 100_000;

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
    const isSource = registry.kind === "source";
    const listed = isSource
      ? await packageListing.read(registry.id)
      : { count: 0, names: await this.#mergedNames(grant) };
    const names = listed.names.filter((name) => grant.may("packages:read", name));
    // A token for some projects only has an index of its own, and what is merged changes elsewhere.
    const isWhole = isSource && names.length === listed.names.length;
    const key = `${registry.id}#${listed.count}#${form}`;
    const known = isWhole ? this.#rendered.get(key) : undefined;
    if (known !== undefined) return { ...known, baseUrl: caller.baseUrl };
    const { opening, entries, separator, closing } = TEXTS[form]({ ...listed, names });
    const document = inlineDocument(await buildGzip(opening, entries, separator, closing), {
      kind: `index-${form}`,
      contentType: "",
      updatedAtMs: stores.now(),
      baseUrl: caller.baseUrl,
      basis: "",
      validUntilMs: 0,
    });
    if (isWhole) this.#rendered.set(key, document);
    return document;
  }

  /** Of a composite or a proxy. */
  async #mergedNames(grant: RegistryGrant): Promise<readonly string[]> {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#services.catalogue.listPackages(grant, {
        limit: PAGE_NAMES,
        ...(cursor === undefined ? {} : { cursor }),
      });
      names.push(...page.items.map(({ name }) => name));
      cursor = page.cursor;
    } while (cursor !== undefined && names.length < MAX_MERGED_NAMES);
    return names;
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
    closing: CLOSE_PAGE + serialComment(count),
  }),
};
