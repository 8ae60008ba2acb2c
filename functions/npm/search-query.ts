import type { Package } from "../../shared/domain/package.ts";

/** The text of a search, taken apart (https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md#get-v1search). */
export interface SearchQuery {
  /** Words that must match; empty for every package. */
  readonly words: string;
  /** Scopes with the at sign; empty for any. */
  readonly scopes: readonly string[];
  /** Groups of which each must be met by one of its keywords. */
  readonly keywords: readonly (readonly string[])[];
}

const MAX_TEXT_LENGTH = 500;
/** Known to npm's registry, but about what is not kept here; they neither match nor exclude. */
const IGNORED = new Set(["author", "maintainer", "not", "is", "boost-exact"]);

/** Reads a text of any kind: what is no qualifier is a word. */
export function parseSearch(text: string): SearchQuery {
  const words: string[] = [];
  const scopes: string[] = [];
  const keywords: string[][] = [];
  for (const part of text.slice(0, MAX_TEXT_LENGTH).split(/\s+/)) {
    const colon = part.indexOf(":");
    const qualifier = part.slice(0, Math.max(colon, 0));
    const value = part.slice(colon + 1);
    if (qualifier === "scope") scopes.push(`@${value.replace(/^@/, "")}`);
    else if (qualifier === "keywords") keywords.push(value.toLowerCase().split(/[,+]/));
    else if (!IGNORED.has(qualifier) && part !== "") words.push(part);
  }
  return { words: words.join(" "), scopes, keywords };
}

/** Whether a package fits the qualifiers; words are matched by the search index. */
export function fitsQualifiers(pkg: Package, query: SearchQuery): boolean {
  const own = new Set(pkg.keywords.map((keyword) => keyword.toLowerCase()));
  return (
    (query.scopes.length === 0 || query.scopes.some((scope) => pkg.name.startsWith(`${scope}/`))) &&
    query.keywords.every((group) => group.some((keyword) => own.has(keyword)))
  );
}
