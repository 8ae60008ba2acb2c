import { InvalidInputError } from "../../shared/errors.ts";
import type { DigestAlgorithm } from "../../shared/domain/digest.ts";
import { isSnapshot } from "./versions.ts";

/** `a.b:c`: how a package is named here, by its group and artifact. */
export interface Coordinates {
  readonly group: string;
  readonly artifact: string;
}

/** What a path below `/maven/<registry>/` means. */
export type Target =
  | {
      readonly kind: "file";
      readonly packageName: string;
      readonly version: string;
      readonly path: string;
    }
  /** `<group>/<artifact>/maven-metadata.xml`, or that of the group `group`: the paths look the same. */
  | { readonly kind: "metadata"; readonly packageName: string | undefined; readonly group: string }
  | { readonly kind: "snapshot-metadata"; readonly packageName: string; readonly version: string }
  | { readonly kind: "archetypes" }
  | { readonly kind: "folder"; readonly segments: readonly string[] };

/** A target, or the checksum file beside it. */
export interface Request {
  readonly target: Target;
  readonly checksum: DigestAlgorithm | undefined;
}

const ID = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$/;
const VERSION = /^[A-Za-z0-9._~+-]{1,128}$/;
/** What stands in the names of files that build tools make; nothing that a file system or page could take amiss. */
const FILE = /^[A-Za-z0-9._~+@=,$-]{1,255}$/;
const GROUP = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const MAX_NAME = 400;
const CHECKSUM = /^(.+)\.(md5|sha1|sha256|sha512)$/;
const METADATA = "maven-metadata.xml";

/**
 * Reads decoded segments by Maven's layout, https://maven.apache.org/repositories/layout.html. A file may have any
 * name: what follows group, artifact and version is its path.
 *
 * @throws {InvalidInputError}
 */
export function parseLayout(segments: readonly string[]): Request {
  for (const segment of segments.slice(0, -1)) requireSegment(segment);
  const last = segments.at(-1) ?? "";
  const above = segments.slice(0, -1);
  if (last === "") return { target: { kind: "folder", segments: above }, checksum: undefined };
  requireSegment(last);
  const [, plain, suffix] = CHECKSUM.exec(last) ?? [];
  const checksum = algorithmOf(suffix);
  const target = targetOf(above, checksum === undefined ? last : (plain ?? last));
  return { target, checksum };
}

function targetOf(above: readonly string[], name: string): Target {
  if (name === METADATA) return metadataTarget(above);
  if (above.length === 0 && name === "archetype-catalog.xml") return { kind: "archetypes" };
  const [version, artifact, ...group] = above.toReversed();
  if (version === undefined || artifact === undefined || group.length === 0) {
    throw invalid(
      `"${name}" is not below a group, an artifact and a version; Maven's layout is <group>/<artifact>/<version>/<file>.`,
    );
  }
  return {
    kind: "file",
    packageName: formatName({ group: group.toReversed().join("."), artifact }),
    version: parseVersion(version),
    path: name,
  };
}

function metadataTarget(above: readonly string[]): Target {
  const [last, artifact, ...group] = above.toReversed();
  if (last === undefined)
    throw invalid("There is no maven-metadata.xml at the root; name a group.");
  if (artifact !== undefined && group.length > 0 && isSnapshot(last)) {
    const packageName = formatName({ group: group.toReversed().join("."), artifact });
    return { kind: "snapshot-metadata", packageName, version: parseVersion(last) };
  }
  const parents = above.slice(0, -1).join(".");
  return {
    kind: "metadata",
    packageName: parents === "" ? undefined : formatName({ group: parents, artifact: last }),
    group: above.join("."),
  };
}

/** `group:artifact`, checked. @throws {InvalidInputError} */
export function parsePackageName(text: string): string {
  const [group = "", artifact = "", ...more] = text.split(":");
  if (more.length > 0) throw invalidName(text);
  return formatName({ group, artifact });
}

function formatName({ group, artifact }: Coordinates): string {
  const name = `${group}:${artifact}`;
  if (name.length <= MAX_NAME && GROUP.test(group) && ID.test(artifact)) return name;
  throw invalidName(name);
}

/** Of a name that was checked. */
export function coordinatesOf(packageName: string): Coordinates {
  const colon = packageName.indexOf(":");
  return { group: packageName.slice(0, colon), artifact: packageName.slice(colon + 1) };
}

/** Where an artifact is in a repository, from its root: `/org/example/demo`. */
export function folderPath(packageName: string): string {
  const { group, artifact } = coordinatesOf(packageName);
  return `/${group.replaceAll(".", "/")}/${artifact}`;
}

/** A version as it is. @throws {InvalidInputError} */
export function parseVersion(text: string): string {
  if (VERSION.test(text) && !/^\.+$/.test(text)) return text;
  throw invalid(
    `${shown(text)} cannot be a version: use 1 to 128 letters (A to Z), digits and . _ ~ + -.`,
  );
}

/** The name of a file in a version's folder. @throws {InvalidInputError} also for what only we write. */
export function parseFileName(text: string): string {
  requireSegment(text);
  if (text !== METADATA && !CHECKSUM.test(text)) return text;
  throw invalid(`"${text}" is made by the registry itself; upload the files that it is about.`);
}

function requireSegment(segment: string): void {
  if (FILE.test(segment) && !/^\.+$/.test(segment)) return;
  throw invalid(
    `${shown(segment)} cannot be part of a path here: use letters (A to Z), digits and . _ ~ + @ = , $ -.`,
  );
}

const algorithmOf = (suffix: string | undefined): DigestAlgorithm | undefined =>
  suffix === "md5" || suffix === "sha1" || suffix === "sha256" || suffix === "sha512"
    ? suffix
    : undefined;

const invalidName = (name: string): InvalidInputError =>
  invalid(
    `${shown(name)} cannot be a package: it is <group>:<artifact>, at most ${MAX_NAME} letters, digits and . _ -, and a dot divides parts of the group.`,
  );

function shown(text: string): string {
  // JSON escapes show what cannot be seen, and keep it out of logs.
  return JSON.stringify(text.slice(0, 80).toWellFormed());
}

const invalid = (message: string): InvalidInputError =>
  new InvalidInputError(message, [{ at: "path", problem: "not allowed" }]);
