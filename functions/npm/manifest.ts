import semver from "semver";
import { type JsonObject, type Json, property } from "../../shared/domain/json.ts";
import { ChecksumMismatchError, InvalidInputError } from "../../shared/errors.ts";
import type { CheckedTarball } from "./intake/tarball-intake.ts";
import { basename, parseVersion } from "./names.ts";
import { announcedDistSchema, manifestSchema, parseWith } from "./schema.ts";

/**
 * Fields of a client's manifest that are ours to set, or that every version would repeat: READMEs stand in
 * the packument once.
 */
const DROPPED = new Set([
  "readme",
  "readmeFilename",
  "dist",
  "deprecated",
  "hasInstallScript",
  "gypfile",
]);
/** Of what clients add with an underscore, these tell something about the publish. */
const KEPT_PRIVATE = new Set(["_nodeVersion", "_npmVersion"]);
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall"];

/** The manifest of the one version that a publish is about, as a client sent it. */
export interface ClientManifest {
  readonly version: string;
  readonly manifest: JsonObject;
}

/** @throws {InvalidInputError} unless there is exactly one version, of this package, under its own name. */
export function parseClientManifest(
  packageName: string,
  versions: Readonly<Record<string, JsonObject>> | undefined,
): ClientManifest {
  const entries = Object.entries(versions ?? {});
  const [first] = entries;
  if (first === undefined || entries.length > 1) {
    throw new InvalidInputError(
      `A publish has exactly one version in "versions"; this one has ${entries.length}.`,
      [{ at: "/versions", problem: "not one version" }],
    );
  }
  const [key, manifest] = first;
  const version = parseVersion(key);
  const { name, version: own } = parseWith(manifestSchema, manifest, `The manifest of ${version}`);
  if (name !== packageName || own !== version) {
    throw new InvalidInputError(
      `The manifest is of ${quoted(name)} ${quoted(own)}, but it was published as "${packageName}" ${version}.`,
      [{ at: `/versions/${version}`, problem: "name or version differ" }],
    );
  }
  return { version, manifest };
}

/**
 * The package.json in the tarball must be of the same package and version: what is installed is what was
 * announced. npm's clients clean the version (`v1.0.0`, `1.0.0+build`) in the manifest only.
 *
 * @throws {InvalidInputError}
 */
export function requireSamePackage(
  packageName: string,
  version: string,
  packageJson: JsonObject,
): void {
  const name = property(packageJson, "name");
  const own = property(packageJson, "version");
  const clean = typeof own === "string" && own.length <= 256 ? semver.clean(own, true) : null;
  if (name === packageName && clean === version) return;
  throw new InvalidInputError(
    `The package.json in the tarball is of ${quoted(name)} ${quoted(own)}, but it was published as "${packageName}" ${version}.`,
    [{ at: "/_attachments", problem: "name or version in the tarball differ" }],
  );
}

/**
 * Compares what the client computed with what arrived.
 *
 * @throws {ChecksumMismatchError}
 */
export function requireAnnouncedDigests(manifest: JsonObject, tarball: CheckedTarball): void {
  const dist = parseWith(announcedDistSchema, property(manifest, "dist") ?? {}, "dist");
  const hex: ReadonlyMap<string, string> = new Map([
    ["md5", tarball.md5],
    ["sha1", tarball.sha1],
    ["sha512", tarball.sha512],
  ]);
  if (dist.shasum !== undefined && dist.shasum.toLowerCase() !== tarball.sha1) {
    throw mismatch("shasum", dist.shasum, tarball.sha1);
  }
  // Subresource Integrity allows several hashes, each with options behind "?" (https://www.w3.org/TR/sri-2/).
  for (const entry of (dist.integrity ?? "").split(/\s+/).filter((part) => part !== "")) {
    const dash = entry.indexOf("-");
    const actual = hex.get(entry.slice(0, Math.max(dash, 0)));
    if (actual === undefined) continue;
    const [sent = ""] = entry.slice(dash + 1).split("?");
    const expected = Buffer.from(actual, "hex").toString("base64");
    if (sent !== expected) throw mismatch("integrity", sent, expected);
  }
}

/** What is kept of a version's manifest, whoever sent it; `dist` and the facts of the tarball come on top. */
export function versionMetadata(
  packageName: string,
  version: string,
  manifest: JsonObject,
  tarball: CheckedTarball,
  dist: JsonObject,
): JsonObject {
  const kept = Object.entries(manifest).filter(
    ([key]) => !DROPPED.has(key) && (!key.startsWith("_") || KEPT_PRIVATE.has(key)),
  );
  const { facts } = tarball;
  const bin = normalBin(packageName, property(manifest, "bin"));
  return {
    ...Object.fromEntries(kept),
    ...(bin === undefined ? {} : { bin }),
    name: packageName,
    version,
    _id: `${packageName}@${version}`,
    _hasShrinkwrap: facts.hasShrinkwrap,
    ...(hasInstallScript(manifest, tarball) ? { hasInstallScript: true } : {}),
    ...(isGypPackage(manifest, tarball) ? { gypfile: true } : {}),
    dist,
  };
}

/** npm writes `"bin": "cli.js"` as one command by the name of the package. */
function normalBin(packageName: string, bin: Json | undefined): Json | undefined {
  return typeof bin === "string" ? { [basename(packageName)]: bin } : bin;
}

/**
 * Whether an install runs code of the package. The tarball's own package.json counts too: what it says is what
 * npm runs, even where the manifest leaves it out.
 */
function hasInstallScript(manifest: JsonObject, tarball: CheckedTarball): boolean {
  return (
    [manifest, tarball.facts.packageJson].some((source) =>
      INSTALL_SCRIPTS.some((name) => script(source, name) !== undefined),
    ) || isGypPackage(manifest, tarball)
  );
}

/** With a binding.gyp and no install script of its own, npm runs node-gyp unless `gypfile` is false. */
function isGypPackage(manifest: JsonObject, { facts }: CheckedTarball): boolean {
  return (
    facts.hasBindingGyp &&
    property(manifest, "gypfile") !== false &&
    script(facts.packageJson, "install") === undefined &&
    script(facts.packageJson, "preinstall") === undefined
  );
}

function script(manifest: JsonObject, name: string): string | undefined {
  const scripts = property(manifest, "scripts");
  if (typeof scripts !== "object" || scripts === null || Array.isArray(scripts)) return undefined;
  const command: unknown = Object.hasOwn(scripts, name) ? Reflect.get(scripts, name) : undefined;
  return typeof command === "string" && command !== "" ? command : undefined;
}

const mismatch = (what: string, sent: string, actual: string): ChecksumMismatchError =>
  new ChecksumMismatchError(
    `The ${what} of the tarball is ${actual}, but the publish said ${sent.slice(0, 200)}; pack and publish it again.`,
  );

const quoted = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : "nothing";
