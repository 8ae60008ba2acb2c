import semver from "semver";
import validatePackageName from "validate-npm-package-name";
import { InvalidInputError } from "../../shared/errors.ts";

/** What npm has accepted since 2014; longer names break file systems. */
const MAX_NAME_LENGTH = 214;
const MAX_TAG_LENGTH = 200;
/** `semver` refuses longer ones too. */
const MAX_VERSION_LENGTH = 256;

/** Names in which nothing could be wrong, as nearly all are: the library holds each of its rules against them. */
const ORDINARY = /^(?!node_modules$|favicon\.ico$)(?:@[a-z0-9][a-z0-9-]*\/)?[a-z0-9][a-z0-9._-]*$/;

/**
 * A package's name, as it is. Names that npm only tolerates today (capital letters, names of Node's own
 * modules) pass, because registries that teams move here hold `JSONStream` and `buffer`; upper and lower
 * case name different packages, as on npm's own registry.
 *
 * @throws {InvalidInputError} for what never was a name (https://docs.npmjs.com/cli/v11/configuring-npm/package-json#name).
 */
export function parsePackageName(text: string): string {
  if (text.length <= MAX_NAME_LENGTH && ORDINARY.test(text)) return text;
  const result = validatePackageName(text);
  if (text.length <= MAX_NAME_LENGTH && result.validForOldPackages) return text;
  const problem =
    text.length > MAX_NAME_LENGTH
      ? `it is longer than ${MAX_NAME_LENGTH} characters`
      : (result.errors?.join(", ") ?? "it is not a package name");
  throw new InvalidInputError(`"${shorten(text)}" is not a valid package name: ${problem}.`, [
    { at: "/name", problem },
  ]);
}

/**
 * A version in its canonical form. `v1.0.0`, `=1.0.0`, `1.0` and build metadata are refused rather than
 * corrected: npm's clients clean versions before they publish, and two spellings of one version would be
 * one package twice.
 *
 * @throws {InvalidInputError}
 */
export function parseVersion(text: string): string {
  if (text.length <= MAX_VERSION_LENGTH && semver.valid(text) === text) return text;
  const clean = text.length <= MAX_VERSION_LENGTH ? semver.clean(text) : null;
  const hint = clean === null ? "" : ` Did you mean "${clean}"?`;
  throw new InvalidInputError(
    `"${shorten(text)}" is not a version as semver.org defines it, without build metadata.${hint}`,
    [{ at: "/version", problem: "not a canonical semantic version" }],
  );
}

/** True for what {@link parseVersion} accepts. */
export function isVersion(text: string): boolean {
  return text.length <= MAX_VERSION_LENGTH && semver.valid(text) === text;
}

/**
 * The name of a dist-tag.
 *
 * @throws {InvalidInputError} for what npm's clients would read as a version or range, or cannot put in a URL
 *   (https://docs.npmjs.com/cli/v11/commands/npm-dist-tag#caveats; npm-package-arg refuses the rest).
 */
export function parseTag(text: string): string {
  const bad =
    text === "" ||
    text.length > MAX_TAG_LENGTH ||
    encodeURIComponent(text) !== text ||
    semver.validRange(text) !== null;
  if (!bad) return text;
  throw new InvalidInputError(
    `"${shorten(text)}" cannot be a dist-tag: use 1 to ${MAX_TAG_LENGTH} characters that need no escape in a URL and do not read as a version or range.`,
    [{ at: "/dist-tags", problem: "not a tag" }],
  );
}

/** The part of a name after its scope. */
export function basename(packageName: string): string {
  return packageName.slice(packageName.indexOf("/") + 1);
}

/** `@scope` with the at sign, or empty. */
export function scopeOf(packageName: string): string {
  return packageName.startsWith("@") ? packageName.slice(0, packageName.indexOf("/")) : "";
}

/** The path under which a version keeps its tarball, and the last segment of its URL. */
export function tarballName(packageName: string, version: string): string {
  return `${basename(packageName)}-${version}.tgz`;
}

/** The path under which a version keeps its provenance. */
export function provenanceName(packageName: string, version: string): string {
  return `${basename(packageName)}-${version}.sigstore.json`;
}

/**
 * The version that a tarball's file name tells, or `undefined` when it is not a name of this package's
 * tarballs. Some clients put the scope in front, as in `@scope/name-1.0.0.tgz`.
 */
export function versionOfTarball(packageName: string, file: string): string | undefined {
  const scope = scopeOf(packageName);
  const plain = scope !== "" && file.startsWith(`${scope}/`) ? file.slice(scope.length + 1) : file;
  const start = `${basename(packageName)}-`;
  if (!plain.startsWith(start) || !plain.endsWith(".tgz")) return undefined;
  const version = plain.slice(start.length, -".tgz".length);
  return isVersion(version) ? version : undefined;
}

/** `@scope/name` in two segments, the scope not escaped into one with the name yet. */
const SCOPED = /\/(?:@|%40)([^/%]+)\/([^/]+)/gi;

/**
 * Clients write the slash of a scoped name as `/`, `%2f` or `%2F`, and the at sign as `@` or `%40`. Routes
 * see one segment, whatever they wrote.
 */
export function canonicalPath(path: string): string {
  return path.replace(SCOPED, "/@$1%2F$2");
}

/** The package's page and tarball URLs keep the slash of a scope, as npm's registry writes them. */
export function tarballUrl(
  baseUrl: string,
  slug: string,
  packageName: string,
  version: string,
): string {
  return `${baseUrl}/npm/${slug}/${packageName}/-/${tarballName(packageName, version)}`;
}

/** Where a version's attestations are served. */
export function attestationsUrl(
  baseUrl: string,
  slug: string,
  packageName: string,
  version: string,
): string {
  return `${baseUrl}/npm/${slug}/-/npm/v1/attestations/${packageName.replace("/", "%2f")}@${version}`;
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
