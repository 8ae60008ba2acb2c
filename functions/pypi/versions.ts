import { InvalidInputError } from "../../shared/errors.ts";

/** A version of PEP 440 taken apart; numbers are digits without leading zeros, of any length. */
export interface ParsedVersion {
  readonly epoch: string;
  readonly release: readonly string[];
  readonly pre: { readonly kind: "a" | "b" | "rc"; readonly number: string } | undefined;
  readonly post: string | undefined;
  readonly dev: string | undefined;
  /** Empty without a local part. */
  readonly local: readonly string[];
}

const MAX_VERSION_LENGTH = 128;
/** The normal form may be longer than what was written: `-1` is `.post1`. */
const MAX_TEXT_LENGTH = 256;
/** More zeros than this at the end of a release are not looked for when spellings are compared. */
const MAX_RELEASE_SEGMENTS = 6;

/** https://packaging.python.org/en/latest/specifications/version-specifiers/#appendix-parsing-version-strings-with-regular-expressions */
const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

/** `undefined` for what is no version of PEP 440. */
export function readVersion(text: string): ParsedVersion | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  const match = VERSION.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const [, epoch = "0", release = "", pre, preNumber, implicitPost, post, postNumber, dev] = match;
  const [devNumber, local] = match.slice(9);
  return {
    epoch: digits(epoch),
    release: release.split(".").map(digits),
    pre: pre === undefined ? undefined : { kind: preKind(pre), number: digits(preNumber ?? "") },
    post:
      implicitPost === undefined && post === undefined
        ? undefined
        : digits(implicitPost ?? postNumber ?? ""),
    dev: dev === undefined ? undefined : digits(devNumber ?? ""),
    local:
      local === undefined
        ? []
        : local.split(/[-_.]/).map((part) => (isNumber(part) ? digits(part) : part)),
  };
}

/**
 * A version in its normal form (https://packaging.python.org/en/latest/specifications/version-specifiers/#normalization):
 * `v1.0-RC.1` gives `1.0rc1`. Zeros at the end stay, as on the public index; see {@link spellingsOf}.
 *
 * @throws {InvalidInputError}
 */
export function parseVersion(text: string): string {
  const version = readVersion(text);
  const normal = version === undefined ? "" : formatVersion(version);
  if (normal !== "" && normal.length <= MAX_VERSION_LENGTH) return normal;
  throw new InvalidInputError(
    `${JSON.stringify(text.slice(0, 80))} is not a version as PEP 440 defines it, of at most ${MAX_VERSION_LENGTH} characters; use one like 1.0, 2.1rc1 or 1.0.post1.`,
    [{ at: "version", problem: "not a PEP 440 version" }],
  );
}

/** The normal form of a version. */
export function formatVersion({ epoch, release, pre, post, dev, local }: ParsedVersion): string {
  return [
    epoch === "0" ? "" : `${epoch}!`,
    release.join("."),
    pre === undefined ? "" : `${pre.kind}${pre.number}`,
    post === undefined ? "" : `.post${post}`,
    dev === undefined ? "" : `.dev${dev}`,
    local.length === 0 ? "" : `+${local.join(".")}`,
  ].join("");
}

/**
 * All normal forms of the same version that anybody uses: 1, 1.0, 1.0.0 and so on are one release
 * (https://packaging.python.org/en/latest/specifications/version-specifiers/#version-matching). The given one comes first.
 */
export function spellingsOf(version: string): readonly string[] {
  const parsed = readVersion(version);
  if (parsed === undefined) return [version];
  const least = withoutZeros(parsed.release);
  const spellings = [version];
  for (let length = least.length; length <= MAX_RELEASE_SEGMENTS; length++) {
    const zeros = Array.from({ length: length - least.length }, () => "0");
    const spelling = formatVersion({ ...parsed, release: [...least, ...zeros] });
    if (spelling !== version && spelling.length <= MAX_VERSION_LENGTH) spellings.push(spelling);
  }
  return spellings;
}

/** The same for all spellings of a version. */
export function identityOf(version: string): string {
  const parsed = readVersion(version);
  if (parsed === undefined) return version;
  return formatVersion({ ...parsed, release: withoutZeros(parsed.release) });
}

/** A pre-release or development release: what installers leave out unless asked. */
export function isPrerelease(version: string): boolean {
  const parsed = readVersion(version);
  return parsed?.pre !== undefined || parsed?.dev !== undefined;
}

/**
 * The order of PEP 440 (https://packaging.python.org/en/latest/specifications/version-specifiers/#summary-of-permitted-suffixes-and-relative-ordering).
 * 0 for different spellings of one version. What is no version comes first, by code units.
 */
export function compareVersions(a: string, b: string): number {
  const left = readVersion(a);
  const right = readVersion(b);
  if (left === undefined || right === undefined) {
    if (left === right) return compareText(a, b);
    return left === undefined ? -1 : 1;
  }
  return (
    compareDigits(left.epoch, right.epoch) ||
    compareReleases(withoutZeros(left.release), withoutZeros(right.release)) ||
    preRank(left) - preRank(right) ||
    compareDigits(left.pre?.number ?? "0", right.pre?.number ?? "0") ||
    compareOptional(left.post, right.post, -1) ||
    compareOptional(left.dev, right.dev, 1) ||
    compareLocals(left.local, right.local)
  );
}

const PRE_KINDS = ["a", "b", "rc"] as const;

function preKind(word: string): "a" | "b" | "rc" {
  if (word.startsWith("a")) return "a";
  return word.startsWith("b") ? "b" : "rc";
}

/** A development release alone comes before the pre-releases, no pre-release after them. */
function preRank({ pre, post, dev }: ParsedVersion): number {
  if (pre !== undefined) return PRE_KINDS.indexOf(pre.kind);
  return post === undefined && dev !== undefined ? -1 : PRE_KINDS.length;
}

/** `absent`: where a missing number stands, before all (-1) or after all (1). */
function compareOptional(a: string | undefined, b: string | undefined, absent: 1 | -1): number {
  if (a !== undefined && b !== undefined) return compareDigits(a, b);
  if (a === b) return 0;
  return a === undefined ? absent : -absent;
}

function compareReleases(a: readonly string[], b: readonly string[]): number {
  for (let position = 0; position < Math.max(a.length, b.length); position++) {
    const order = compareDigits(a[position] ?? "0", b[position] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}

/** Segment by segment, numbers after words; of two that begin alike the longer comes last. */
function compareLocals(a: readonly string[], b: readonly string[]): number {
  for (let position = 0; position < Math.min(a.length, b.length); position++) {
    const x = a[position] ?? "";
    const y = b[position] ?? "";
    const bothNumbers = isNumber(x) && isNumber(y);
    const order = bothNumbers
      ? compareDigits(x, y)
      : Number(isNumber(x)) - Number(isNumber(y)) || compareText(x, y);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function withoutZeros(release: readonly string[]): readonly string[] {
  let length = release.length;
  while (length > 1 && release[length - 1] === "0") length--;
  return release.slice(0, length);
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);
const digits = (text: string): string => text.replace(/^0+(?=\d)/, "") || "0";
const compareDigits = (a: string, b: string): number => a.length - b.length || compareText(a, b);

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
