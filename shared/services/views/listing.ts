import type { DigestAlgorithm, Digests } from "../../domain/digest.ts";
import type { JsonObject } from "../../domain/json.ts";
import { type Routing, visibleFromMs } from "../../domain/routing.ts";
import type { DocumentScope, Ecosystem } from "../ecosystem.ts";
import { latestOf } from "../ecosystem.ts";

/** A file as its registry's document names it. */
export interface ListedFile {
  /** Unique within its version, as {@link PackageFile.path}. */
  readonly path: string;
  /** Absolute, or a path below the upstream's URL. Of no use where the file is our own. */
  readonly url: string;
  /** What its bytes must turn out to be. */
  readonly expected: Partial<Digests>;
  /** What the headers of an answer say of them besides. */
  readonly announced?: (headers: Headers) => Partial<Digests>;
  readonly contentType: string;
  /**
   * Unix milliseconds, where files join a version for as long as it lives; 0 when the document does not say. Absent: as
   * old as the version.
   */
  readonly publishedAtMs?: number;
  /**
   * Files with a sum of this one, for documents that name none: where the answer announces none either, the first of
   * these that is there counts. Where there is none at all the file is taken as it comes.
   */
  readonly sums?: readonly { readonly algorithm: DigestAlgorithm; readonly url: string }[];
  /** Its bytes may change upstream: they are looked at again when a document would be. */
  readonly changes?: boolean;
}

/** A version as its registry's document describes it. */
export interface ListedVersion {
  /** Canonical. */
  readonly version: string;
  /** Unix milliseconds; 0 when the document does not say. */
  readonly publishedAtMs: number;
  /** What the ecosystem makes its documents of. */
  readonly entry: JsonObject;
  /** Words for those who install it all the same; absent or empty when nothing speaks against it. */
  readonly deprecation?: string;
  readonly files: readonly ListedFile[];
}

/** What one registry says of one package: the common ground of its ecosystem's documents. */
export interface Listing {
  /** Each points at one of `versions`. */
  readonly tags: Readonly<Record<string, string>>;
  /** In the order of the document, each once. */
  readonly versions: readonly ListedVersion[];
  /** What the document says of the package as a whole. */
  readonly about: JsonObject;
}

/** A version, and the slug of the registry that it comes from. */
export interface MergedVersion extends ListedVersion {
  readonly origin: string;
}

export interface MergedListing extends Listing {
  readonly versions: readonly MergedVersion[];
  /** Unix milliseconds at which the next version becomes old enough to be seen; 0: never. */
  readonly nextVersionAtMs: number;
}

/** One registry's listing and the rules on the way to it. */
export interface ListingSource {
  readonly slug: string;
  readonly listing: Listing;
  readonly routings: readonly Routing[];
}

/** A version with one file of it, as an upstream has it if it has it at all. */
export type FileLocator = (packageName: string, version: string, path: string) => ListedVersion;

/** How a package's documents are read back, asked of other registries, and written anew. */
export interface ListingFormat {
  /** The document of a source registry that `parse` reads: the one that says most. */
  readonly sourceKind: string;
  /** Where an upstream has the document that `parse` reads: a path below its URL, with what to send. */
  request(packageName: string): {
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  /** Bounded and forgiving to single versions: those that cannot be used are left out. @throws {SyntaxError} for what is no document. */
  parse(body: Uint8Array, from: DocumentOrigin): Listing;
  /** What versions are the same by, where one can be written in several ways. Absent: by their text. */
  readonly identity?: (version: string) => string;
  /** The entry of a version with these of its files, where entries list them. Absent: they do not. */
  readonly withFiles?: (entry: JsonObject, files: readonly ListedFile[]) => JsonObject;
  /**
   * Of ecosystems whose documents may say nothing of times: `body`, which was parsed before, in a form that `parse` reads
   * too and that has them. Only asked for where versions have to have an age, and kept in the place of `body`.
   */
  readonly date?: (
    body: Uint8Array,
    from: DocumentOrigin,
    ask: UpstreamQuestions,
  ) => Promise<Uint8Array>;
  /**
   * Of ecosystems whose documents do not list files: the version with this one file, as the upstream has it if it has
   * it at all. Absent: what is not listed is not there.
   */
  readonly locate?: FileLocator;
  /** The document of this kind, with all links starting at `scope.baseUrl`. */
  render(kind: string, scope: DocumentScope, listing: MergedListing): RenderedListing;
}

/** Questions to the upstream that a document came from. Paths are below its URL, or absolute. @throws {UpstreamFailedError} */
export interface UpstreamQuestions {
  /** A small document; `undefined` when there is none, or it may not be read. */
  text(path: string): Promise<string | undefined>;
  /** When a file changed last, in Unix milliseconds; 0 when it is not there or does not say. */
  changedAtMs(path: string): Promise<number>;
}

export interface DocumentOrigin {
  readonly packageName: string;
  /** Where it came from: relative links start there. */
  readonly url: string;
  readonly contentType: string;
}

export interface RenderedListing {
  readonly contentType: string;
  readonly text: string;
}

/** From when on a version can be seen through all of these; 0 for always. */
export function visibleThrough(
  routings: readonly Routing[],
  packageName: string,
  publishedAtMs: number,
): number {
  return Math.max(
    0,
    ...routings.map((routing) => visibleFromMs(routing, packageName, publishedAtMs)),
  );
}

/**
 * One listing of several, the first source that has a version winning it whole. The outcome depends on nothing but the
 * arguments, so that it can be made anew at any time.
 */
export function mergeListings(
  ecosystem: Ecosystem,
  packageName: string,
  sources: readonly ListingSource[],
  nowMs: number,
): MergedListing {
  const { identity = (version: string) => version } = ecosystem.listings ?? {};
  const seen = new Set<string>();
  const versions: MergedVersion[] = [];
  const later: number[] = [];
  for (const { slug, listing, routings } of sources) {
    const own = listing.versions.map(({ version }) => identity(version));
    for (const [position, version] of listing.versions.entries()) {
      // A version that is too young here is not taken from the next one either: it would be another.
      if (seen.has(own[position] ?? "")) continue;
      const fromMs = (file?: ListedFile): number =>
        visibleThrough(routings, packageName, file?.publishedAtMs ?? version.publishedAtMs);
      const times = version.files.length === 0 ? [fromMs()] : version.files.map(fromMs);
      later.push(...times.filter((time) => time > nowMs));
      if (times.every((time) => time > nowMs)) continue;
      const files = version.files.filter((_, index) => (times[index] ?? 0) <= nowMs);
      versions.push({ ...withFiles(ecosystem, version, files), origin: slug });
    }
    for (const version of own) seen.add(version);
  }
  const nextVersionAtMs = later.reduce((a, b) => Math.min(a, b), later[0] ?? 0);
  const tags = mergeTags(ecosystem, sources, new Set(versions.map(({ version }) => version)));
  return { tags, versions, about: aboutOf(sources), nextVersionAtMs };
}

/** A version as if it had only these of its files. */
export function withFiles(
  { listings }: Ecosystem,
  version: ListedVersion,
  files: readonly ListedFile[],
): ListedVersion {
  if (files.length === version.files.length) return version;
  const entry = listings?.withFiles?.(version.entry, files) ?? version.entry;
  return { ...version, files, entry };
}

/** The package is described by the first registry that has it. */
const aboutOf = (sources: readonly ListingSource[]): JsonObject =>
  sources.find(({ listing }) => listing.versions.length > 0)?.listing.about ?? {};

function mergeTags(
  ecosystem: Ecosystem,
  sources: readonly ListingSource[],
  visible: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const tags = new Map<string, string>();
  for (const { listing } of sources) {
    for (const [name, target] of Object.entries(listing.tags)) {
      if (tags.has(name)) continue;
      const version = visible.has(target) ? target : fallback(ecosystem, name, target, visible);
      if (version !== "") tags.set(name, version);
    }
  }
  return Object.fromEntries(tags);
}

/**
 * What a tag points at while its version is too young: the newest one before it of its sort, and for `latest`, without
 * which npm's clients cannot install, whatever there is.
 */
function fallback(
  ecosystem: Ecosystem,
  name: string,
  target: string,
  visible: ReadonlySet<string>,
): string {
  const isPrerelease = ecosystem.isPrerelease(target);
  const before = [...visible].filter(
    (version) =>
      ecosystem.compareVersions(version, target) < 0 &&
      ecosystem.isPrerelease(version) === isPrerelease,
  );
  const candidates = before.length === 0 && name === "latest" ? [...visible] : before;
  return candidates.reduce((best, version) => latestOf(ecosystem, best, version), "");
}
