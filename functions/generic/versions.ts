import { compare, parse } from "semver";

/**
 * Words that mark what is not a release in versions that are not semantic: `1.0-rc1`, `2024.1.dev3`,
 * `main-nightly`. As whole words only, so that `1.0-arch` is a release.
 */
const PRERELEASE_WORD =
  /(?:^|[^A-Za-z])(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly)(?![A-Za-z])/i;

/** How the rest of a version behind its leading numbers stands to the numbers alone. */
const RANKS = ["loose-prerelease", "semver-prerelease", "release", "suffixed"] as const;
type Rank = (typeof RANKS)[number];

interface Parts {
  /** Leading numbers without zeros at their end: `1.20.0` and `v1.20` both give 1, 20. */
  readonly numbers: readonly string[];
  readonly rank: Rank;
  readonly rest: string;
}

/** A semantic version with a pre-release part, or a word that says as much in any other. */
export function isPrerelease(version: string): boolean {
  const semantic = parse(version);
  return semantic === null ? PRERELEASE_WORD.test(version) : semantic.prerelease.length > 0;
}

/**
 * One total order for whatever a team calls its versions; for semantic versions it is that of
 * https://semver.org/#spec-item-11. Versions without leading numbers come first, in natural order. The others
 * by their leading numbers; for the same numbers pre-releases come first, then the numbers alone, then
 * anything with more behind them (`1.0-1`, `1.0.2g`), in natural order, where runs of digits count as numbers.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const left = partsOf(a);
  const right = partsOf(b);
  return (
    compareNumbers(left.numbers, right.numbers) ||
    RANKS.indexOf(left.rank) - RANKS.indexOf(right.rank) ||
    (left.rank === "semver-prerelease" ? compare(a, b) : compareNaturally(left.rest, right.rest)) ||
    compareNaturally(a, b)
  );
}

function partsOf(version: string): Parts {
  const match = /^v?(\d+(?:\.\d+)*)(.*)$/i.exec(version);
  const numbers = match?.[1]?.split(".") ?? [];
  const rest = match?.[2] ?? version;
  while (numbers.length > 1 && /^0+$/.test(numbers.at(-1) ?? "")) numbers.pop();
  return { numbers, rest, rank: rankOf(version, rest) };
}

function rankOf(version: string, rest: string): Rank {
  const semantic = parse(version);
  if (semantic !== null) return semantic.prerelease.length > 0 ? "semver-prerelease" : "release";
  if (PRERELEASE_WORD.test(version)) return "loose-prerelease";
  return rest === "" || rest.startsWith("+") ? "release" : "suffixed";
}

/** Missing numbers count as zero, but no number at all comes before any. */
function compareNumbers(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return a.length - b.length;
  for (let position = 0; position < Math.max(a.length, b.length); position++) {
    const order = compareDigits(a[position] ?? "0", b[position] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}

/** Runs of digits as numbers, before anything else; the rest by code unit. 0 only for the same text. */
function compareNaturally(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let position = 0; position < Math.min(left.length, right.length); position++) {
    const x = left[position] ?? "";
    const y = right[position] ?? "";
    const bothDigits = /^\d/.test(x) && /^\d/.test(y);
    const order = bothDigits ? compareDigits(x, y) : compareText(x, y);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareText(a, b);
}

/** Numbers of any length: `Number` would lose digits of build dates and hashes. */
function compareDigits(a: string, b: string): number {
  const x = a.replace(/^0+/, "");
  const y = b.replace(/^0+/, "");
  return x.length - y.length || compareText(x, y);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
