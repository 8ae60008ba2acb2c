/** Qualifiers in their order; the empty one is a release. */
const QUALIFIERS: readonly string[] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const RELEASE_RANK = String(QUALIFIERS.indexOf(""));
const ALIASES: Readonly<Record<string, string>> = { ga: "", final: "", release: "", cr: "rc" };
/** Only right before a digit: `1.0-a1` is an alpha, `1.0-a` is not. */
const SHORT: Readonly<Record<string, string>> = { a: "alpha", b: "beta", m: "milestone" };

type Part = bigint | string | Part[];

/**
 * Maven's order of versions, that of `ComparableVersion` in Maven 3.8:
 * https://maven.apache.org/pom.html#version-order-specification. 0 for two spellings of one version
 * (`1.0` and `1`).
 */
export function compareVersions(a: string, b: string): number {
  return compareLists(partsOf(a), partsOf(b));
}

/** In Maven's order, each taken apart once. */
export function sortVersions(versions: readonly string[]): readonly string[] {
  return versions
    .map((version) => ({ version, parts: partsOf(version) }))
    .sort((a, b) => compareLists(a.parts, b.parts))
    .map(({ version }) => version);
}

/** A snapshot, or a version whose qualifier says that it comes before the release. */
export function isPrerelease(version: string): boolean {
  return (
    isSnapshot(version) || /(?:^|[.\-_\d])(?:alpha|beta|milestone|rc|cr|[abm](?=\d))/i.test(version)
  );
}

/** `-SNAPSHOT` in capitals, as Maven's `ArtifactUtils.isSnapshot` for the base version; `SNAPSHOT` alone counts. */
export const isSnapshot = (version: string): boolean =>
  version === "SNAPSHOT" || version.endsWith("-SNAPSHOT");

function partsOf(version: string): Part[] {
  const root: Part[] = [];
  const lists = [root];
  let list = root;
  const nest = (): void => {
    const inner: Part[] = [];
    list.push(inner);
    list = inner;
    lists.push(inner);
  };
  for (const [, text = "", separator = ""] of version.toLowerCase().matchAll(/([^.-]*)([.-]|$)/g)) {
    // The match at the very end of the text is empty and stands for nothing.
    if (text === "" && separator === "") break;
    const runs = text.match(/\d+|\D+/g) ?? [];
    if (runs.length === 0) list.push(0n);
    for (const [position, run] of runs.entries()) {
      const isLast = position === runs.length - 1;
      if (/^\d/.test(run)) {
        list.push(BigInt(run));
        if (!isLast) nest();
        continue;
      }
      const endsText = isLast && separator === "";
      if ((!isLast || endsText) && list.length > 0) nest();
      list.push(qualifierOf(run, !isLast));
      if (!isLast) nest();
    }
    if (separator === "-" && list.length > 0) nest();
  }
  for (const inner of lists.toReversed()) normalize(inner);
  return root;
}

function qualifierOf(run: string, beforeDigit: boolean): string {
  const known = beforeDigit ? (own(SHORT, run) ?? run) : run;
  return own(ALIASES, known) ?? known;
}

const own = (names: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(names, name) ? names[name] : undefined;

/** Drops what says nothing from the end: `1.0.0` is `1`. */
function normalize(list: Part[]): void {
  for (let position = list.length - 1; position >= 0; position--) {
    const part = list[position];
    if (part === undefined) return;
    if (compareToNothing(part) === 0 && (!Array.isArray(part) || part.length === 0)) {
      list.splice(position, 1);
    } else if (!Array.isArray(part)) return;
  }
}

function compareParts(a: Part | undefined, b: Part | undefined): number {
  if (a === undefined) return b === undefined ? 0 : -compareToNothing(b);
  if (b === undefined) return compareToNothing(a);
  const kinds = kindOf(a) - kindOf(b);
  if (kinds !== 0) return kinds;
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b);
  if (typeof a === "string" && typeof b === "string") return compareText(rankOf(a), rankOf(b));
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareLists(a: Part[], b: Part[]): number {
  for (let position = 0; position < Math.max(a.length, b.length); position++) {
    const order = compareParts(a[position], b[position]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Text comes before lists, and lists before numbers. */
function kindOf(part: Part): number {
  if (typeof part === "string") return 0;
  return Array.isArray(part) ? 1 : 2;
}

function compareToNothing(part: Part): number {
  if (typeof part === "bigint") return part === 0n ? 0 : 1;
  if (typeof part === "string") return compareText(rankOf(part), RELEASE_RANK);
  for (const inner of part) {
    const order = compareToNothing(inner);
    if (order !== 0) return order;
  }
  return 0;
}

/** Unknown qualifiers come behind all known ones, by their text. */
function rankOf(qualifier: string): string {
  const rank = QUALIFIERS.indexOf(qualifier);
  return rank < 0 ? `${QUALIFIERS.length}-${qualifier}` : String(rank);
}

const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
