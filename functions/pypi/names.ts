import { InvalidInputError } from "../../shared/errors.ts";
import { formatVersion, readVersion } from "./versions.ts";

const MAX_NAME_LENGTH = 200;
/** What file systems take. */
const MAX_FILE_NAME_LENGTH = 255;
/** https://packaging.python.org/en/latest/specifications/name-normalization/#name-format */
const NAME = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i;
/** https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention */
const WHEEL =
  /^([^\s-]+)-([^\s-]+)(?:-(\d[^\s-]*))?-([a-z0-9_.]+)-([a-z0-9_.]+)-([a-z0-9_.]+)\.whl$/i;
const SAFE_FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._+!-]*$/;

/**
 * What stands behind the name of a distribution's core metadata, of its provenance, and of core metadata that installers
 * must not use.
 */
export const METADATA_SUFFIX = ".metadata";
export const PROVENANCE_SUFFIX = ".provenance";
export const PKG_INFO_SUFFIX = ".pkg-info";

/** A file name that a wheel or an sdist of this project and version has. */
export interface DistributionName {
  readonly fileName: string;
  readonly kind: "wheel" | "sdist";
  readonly format: "zip" | "tar.gz";
  /** Normalised. */
  readonly project: string;
  /** In normal form. */
  readonly version: string;
  /** `py3`, `cp312`; `source` for an sdist, as the JSON API has it. */
  readonly pythonVersion: string;
}

/**
 * A project's name in its normal form (https://packaging.python.org/en/latest/specifications/name-normalization/):
 * `Acme.Demo_pkg` gives `acme-demo-pkg`.
 *
 * @throws {InvalidInputError}
 */
export function parseProjectName(text: string): string {
  if (text.length <= MAX_NAME_LENGTH && NAME.test(text)) return normalize(text);
  throw new InvalidInputError(
    `${JSON.stringify(text.slice(0, 80).toWellFormed())} is not a project's name: use 1 to ${MAX_NAME_LENGTH} letters (A to Z), digits and . _ -, beginning and ending with a letter or digit.`,
    [{ at: "name", problem: "not a project name" }],
  );
}

/**
 * Reads the name of a wheel or an sdist. Where an sdist's name ends and its version begins only the project
 * tells: both may hold dashes.
 *
 * @throws {InvalidInputError} for any other file, and for one of another project.
 */
export function parseDistributionName(fileName: string, project: string): DistributionName {
  requireFileName(fileName);
  if (/\.whl$/i.test(fileName)) return parseWheelName(fileName, project);
  const match = /^(.+)\.(tar\.gz|zip)$/.exec(fileName);
  if (match === null) {
    throw refused(fileName, "only wheels (.whl) and sdists (.tar.gz, .zip) are published");
  }
  const [, stem = "", extension] = match;
  for (let at = stem.indexOf("-"); at > 0; at = stem.indexOf("-", at + 1)) {
    const version = readVersion(stem.slice(at + 1));
    if (version === undefined || normalize(stem.slice(0, at)) !== project) continue;
    return {
      fileName,
      kind: "sdist",
      format: extension === "zip" ? "zip" : "tar.gz",
      project,
      version: formatVersion(version),
      pythonVersion: "source",
    };
  }
  throw refused(fileName, `it must begin with the name "${project}", a dash and a version`);
}

/** What an archive's name says of its format, before anything else is known. @throws {InvalidInputError} */
export function formatOf(fileName: string): "zip" | "tar.gz" {
  requireFileName(fileName);
  if (fileName.endsWith(".whl") || fileName.endsWith(".zip")) return "zip";
  if (fileName.endsWith(".tar.gz")) return "tar.gz";
  throw refused(fileName, "only wheels (.whl) and sdists (.tar.gz, .zip) are published");
}

/** Whether this can be the name of a file that is served: a distribution's, or of what lies beside it. */
export const isFileName = (text: string): boolean =>
  text.length <= MAX_FILE_NAME_LENGTH + PROVENANCE_SUFFIX.length && SAFE_FILE_NAME.test(text);

export const normalize = (name: string): string => name.replace(/[-_.]+/g, "-").toLowerCase();

function parseWheelName(fileName: string, project: string): DistributionName {
  const match = WHEEL.exec(fileName);
  const [, name = "", versionText = "", , pythonVersion = ""] = match ?? [];
  const version = readVersion(versionText);
  if (match === null || version === undefined) {
    throw refused(fileName, "a wheel is named <name>-<version>-<python>-<abi>-<platform>.whl");
  }
  if (normalize(name) !== project) {
    throw refused(fileName, `it is of "${normalize(name).slice(0, 80)}", not of "${project}"`);
  }
  const common = { fileName, format: "zip", project, pythonVersion } as const;
  return { ...common, kind: "wheel", version: formatVersion(version) };
}

function requireFileName(fileName: string): void {
  if (fileName.length > MAX_FILE_NAME_LENGTH) {
    throw refused(fileName, `it is longer than ${MAX_FILE_NAME_LENGTH} characters`);
  }
  if (!SAFE_FILE_NAME.test(fileName)) {
    throw refused(fileName, "use letters (A to Z), digits and . _ + ! - only");
  }
}

const refused = (fileName: string, why: string): InvalidInputError =>
  new InvalidInputError(
    `${JSON.stringify(fileName.slice(0, 120).toWellFormed())} cannot be published under this name: ${why}.`,
    [{ at: "content", problem: "not a distribution's file name" }],
  );
