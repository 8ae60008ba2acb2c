import { isDefined } from "../domain/defined.ts";
import type { Package } from "../domain/package.ts";
import type { Table, WriteOp } from "../ports/table.ts";
import { packageKey, toPackage } from "../records/packages.ts";
import { addTermOp, removeTermOp, termsQuery } from "../records/search-terms.ts";
import { text } from "../records/attributes.ts";

/** Bounds the rows that one package adds to the search index, and so to its publish. */
const MAX_TERMS = 20;
const MAX_TERM_LENGTH = 40;
/** Rows read for one search at most. */
const MAX_CANDIDATES = 1000;

/** Lower-case words of two characters and more, in the order they appear, each once. */
export function termsOf(text: string): readonly string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
  return [...new Set(words.map((word) => word.slice(0, MAX_TERM_LENGTH)))];
}

/** What a package is found by: the words of its name, its keywords, then its description's. */
export function packageTerms(pkg: Package): ReadonlySet<string> {
  if (pkg.state !== "active") return new Set();
  const whole = `${pkg.name} ${pkg.keywords.join(" ")} ${pkg.description}`;
  return new Set([pkg.name.toLowerCase(), ...termsOf(whole)].slice(0, MAX_TERMS));
}

/** The rows by which the search index follows a change of a package. */
export function termOps(
  registryId: string,
  before: Package | undefined,
  after: Package,
): readonly WriteOp[] {
  const old = before === undefined ? new Set<string>() : packageTerms(before);
  const now = packageTerms(after);
  return [
    ...[...now.difference(old)].map((term) => addTermOp(registryId, term, after.name)),
    ...[...old.difference(now)].map((term) => removeTermOp(registryId, term, after.name)),
  ];
}

/**
 * Packages that match every word of a query, by the beginning of one of their terms; best first (exact name,
 * then name, then the rest), then by name. Without a usable word: none.
 */
export async function searchPackages(
  table: Table,
  registryId: string,
  query: string,
): Promise<readonly Package[]> {
  const words = termsOf(query);
  const [longest] = [...words].sort((a, b) => b.length - a.length);
  if (longest === undefined) return [];
  const names = await candidateNames(table, registryId, longest);
  const packages: Package[] = [];
  for (let start = 0; start < names.length; start += 100) {
    const keys = names.slice(start, start + 100).map((name) => packageKey(registryId, name));
    packages.push(...(await table.getMany(keys)).filter(isDefined).map(toPackage));
  }
  return packages
    .filter((pkg) => {
      const terms = [...packageTerms(pkg)];
      return words.every((word) => terms.some((term) => term.startsWith(word)));
    })
    .map((pkg) => ({ pkg, rank: rank(pkg, query.trim().toLowerCase(), longest) }))
    .sort((a, b) => a.rank - b.rank || (a.pkg.name < b.pkg.name ? -1 : 1))
    .map(({ pkg }) => pkg);
}

async function candidateNames(
  table: Table,
  registryId: string,
  prefix: string,
): Promise<readonly string[]> {
  const names = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await table.query(termsQuery(registryId, prefix, MAX_CANDIDATES, cursor));
    for (const item of page.items) names.add(text(item, "packageName"));
    cursor = page.cursor;
  } while (cursor !== undefined && names.size < MAX_CANDIDATES);
  return [...names];
}

function rank(pkg: Package, query: string, word: string): number {
  const name = pkg.name.toLowerCase();
  if (name === query) return 0;
  if (name.startsWith(query)) return 1;
  return name.includes(word) ? 2 : 3;
}
