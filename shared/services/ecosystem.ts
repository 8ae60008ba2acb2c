import type { Digests } from "../domain/digest.ts";
import type { EcosystemName, Registry } from "../domain/registry.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Package, Tag, Version } from "../domain/package.ts";
import type { Upstream } from "../domain/upstream.ts";
import type { FileLocator, ListingFormat } from "./views/listing.ts";

/** Where a document belongs, and the URL that its links start with. */
export interface DocumentScope {
  readonly registry: Registry;
  readonly packageName: string;
  readonly baseUrl: string;
}

export interface DocumentView extends DocumentScope {
  readonly package: Package;
  /** All tags after the change. */
  readonly tags: readonly Tag[];
  /** New README of the package; `undefined` leaves the one there is. */
  readonly readme: string | undefined;
}

/** What of the versions a closing text must take in. */
export type ClosingChange =
  | { readonly kind: "append"; readonly version: Version }
  | { readonly kind: "closing" }
  | { readonly kind: "rebuild"; readonly versions: readonly Version[] };

/**
 * One document per package, as text: `opening entry separator entry … closing`. A publish appends one entry
 * and writes the closing anew, so that its cost does not grow with the versions that are there.
 */
export interface DocumentRenderer {
  /** Names the document in its row; unique in its ecosystem. */
  readonly kind: string;
  readonly contentType: string;
  readonly separator: string;
  /** Written when the document is new or built anew. */
  opening(view: DocumentView): string;
  /** The text for one available version. */
  entry(scope: DocumentScope, version: Version): string;
  /** `previous` is the closing before the change; absent for a new document. */
  closing(view: DocumentView, previous: string | undefined, change: ClosingChange): string;
}

/** A file that arrived through an upload ticket, to be published in its ecosystem's way. */
export interface UploadedFile {
  readonly packageName: string;
  readonly version: string;
  readonly path: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly digests: Digests;
}

/** What else is known of a file that is announced for upload. */
export interface AnnouncedUpload {
  readonly version: string;
  /** Lower-case hexadecimal, 64 digits. */
  readonly sha256: string;
}

/** Changes of single files of a version, where the version's metadata lists them. */
export interface FileRules {
  /** Paths that stand and fall with this one, itself first. */
  pathsOf(path: string): readonly string[];
  /** The metadata with a file taken back in words, or, by empty ones, not any more; `undefined` without such a file. */
  deprecate(metadata: JsonObject, path: string, message: string): JsonObject | undefined;
  /** The metadata without a file; `undefined` without such a file, `"last"` when there is no other. */
  remove(metadata: JsonObject, path: string): JsonObject | "last" | undefined;
}

/**
 * What the shared services must know of an ecosystem; each protocol folder exports one. Every function loads all of
 * them, so that what checks files, and the libraries that it takes, is apart: see `UploadIntake`.
 */
export interface Ecosystem {
  readonly name: EcosystemName;
  readonly renderers: readonly DocumentRenderer[];
  /** A package always has a tag `latest` while it has a version: npm's clients cannot install without. */
  readonly needsLatestTag?: boolean;
  /** Clients are told of a package's standing: it can be set. */
  readonly hasStanding?: true;
  /** A registry's packages are listed to clients: changes of the listing are counted. */
  readonly countsListing?: true;
  /** A version that was taken back is the latest only where every version was. */
  readonly avoidsDeprecated?: true;
  readonly fileRules?: FileRules;
  /** The README of a version, for documents that show that of the latest and are built anew. Absent: none does. */
  readonly readReadme?: (version: Version) => Promise<string>;
  /** The canonical form. @throws {InvalidInputError} for what can never be a name. */
  parsePackageName(text: string): string;
  /** A pattern of names in the form that canonical names are compared with. Absent: as it is. */
  readonly canonicalPattern?: (pattern: string) => string;
  /** The canonical form. @throws {InvalidInputError} */
  parseVersion(text: string): string;
  /**
   * The canonical path of a file that is announced for upload, so that a bad one is refused before its bytes
   * are sent. Absent: only the intake looks at it. @throws {InvalidInputError} | {@link UnsupportedError}
   */
  readonly parseUploadPath?: (path: string, announced: AnnouncedUpload) => string;
  /** `blobs`: a completed upload is no file of a version yet; versions to come may use it. Absent: it is one. */
  readonly uploadsBecome?: "blobs";
  /** Order of versions: negative when `a` comes before `b`. */
  compareVersions(a: string, b: string): number;
  /** Not what one gets without asking for a version, while there is another. */
  isPrerelease(version: string): boolean;
  /** How its packages are read from other registries and merged. Absent: each in its protocol's own way. */
  readonly listings?: ListingFormat;
  /** The name under which a proxy of this upstream keeps a package. Absent: its own. */
  readonly cachedAs?: (upstream: Upstream, packageName: string) => string;
  /** Where there are no listings: as {@link ListingFormat.locate}. Absent: files are found in the protocol's own way. */
  readonly locate?: FileLocator;
  /** Retention and clearing up of the ecosystem's own. May be stopped anywhere: the next run goes on. */
  readonly sweep?: () => Promise<void>;
}

/** The preferred of two versions (either may be empty for none): highest, releases before pre-releases. */
export function latestOf(
  ecosystem: Pick<Ecosystem, "isPrerelease" | "compareVersions">,
  a: string,
  b: string,
): string {
  if (a === "") return b;
  if (b === "") return a;
  const aPre = ecosystem.isPrerelease(a);
  if (aPre !== ecosystem.isPrerelease(b)) return aPre ? b : a;
  return ecosystem.compareVersions(a, b) >= 0 ? a : b;
}

/** The preferred of these versions; among those that have no order the newest publication. Empty without any. */
export function latestOfAll(ecosystem: Ecosystem, versions: readonly Version[]): string {
  const kept = versions.filter(({ state }) => state !== "deprecated");
  const candidates = ecosystem.avoidsDeprecated === true && kept.length > 0 ? kept : versions;
  return candidates
    .toSorted((a, b) => b.sequence - a.sequence)
    .reduce((best, { version }) => latestOf(ecosystem, best, version), "");
}
