import { isSnapshot } from "./versions.ts";
import { coordinatesOf } from "./layout.ts";

/** One file of a deploy, as its name tells it. */
export interface ArtifactName {
  /** The version in the name: `1.0`, or `1.0-20261121.003113-1` of a unique snapshot. */
  readonly value: string;
  /** Of a unique snapshot. */
  readonly build: Build | undefined;
  /** Empty for the main artifact. */
  readonly classifier: string;
  /** What is behind version and classifier: `tar.gz`, `jar.asc`. */
  readonly extension: string;
}

/** `timestamp` is `yyyyMMdd.HHmmss` in UTC. */
export interface Build {
  readonly timestamp: string;
  readonly number: number;
}

/** What a file's name says by Maven's layout; `undefined` for one that has another form. */
export function parseArtifactName(
  packageName: string,
  version: string,
  path: string,
): ArtifactName | undefined {
  const start = `${coordinatesOf(packageName).artifact}-`;
  if (!path.startsWith(start)) return undefined;
  const rest = path.slice(start.length);
  if (rest.startsWith(version)) {
    return withRest(version, undefined, rest.slice(version.length));
  }
  if (!isSnapshot(version)) return undefined;
  const base = version.slice(0, -"SNAPSHOT".length);
  const [whole, timestamp, number] =
    /^(\d{8}\.\d{6})-(\d{1,9})/.exec(rest.slice(base.length)) ?? [];
  if (!rest.startsWith(base) || whole === undefined || timestamp === undefined) return undefined;
  const value = base + whole;
  return withRest(value, { timestamp, number: Number(number) }, rest.slice(value.length));
}

/** A classifier may have dots (`jdk1.8`), an extension only those of archives and signatures. */
const CLASSIFIED = /^-(.+?)\.((?:tar\.)?[^.]+(?:\.(?:asc|sig|sigstore|sigstore\.json))?)$/;

function withRest(value: string, build: Build | undefined, rest: string): ArtifactName | undefined {
  const [, classifier = "", extension] = CLASSIFIED.exec(rest) ?? /^()\.(.+)$/.exec(rest) ?? [];
  return extension === undefined ? undefined : { value, build, classifier, extension };
}

/** The most jobs that may choose one name for their builds. */
export const MAX_BUILDS_OF_ONE_NAME = 8;

/**
 * The path of the same file in another build of that second, `by` further; `undefined` when its name is not that of a
 * build.
 */
export function buildPath(
  packageName: string,
  version: string,
  path: string,
  by: number,
): string | undefined {
  const name = parseArtifactName(packageName, version, path);
  if (name?.build === undefined || name.build.number + by < 0) return undefined;
  const start = `${coordinatesOf(packageName).artifact}-`;
  const next = name.value.replace(/\d+$/, String(name.build.number + by));
  return start + next + path.slice(start.length + name.value.length);
}

/** Later builds first by number, then by time: two jobs at once take the same number. */
export function compareBuilds(a: Build, b: Build): number {
  if (a.number !== b.number) return a.number - b.number;
  return a.timestamp === b.timestamp ? 0 : a.timestamp < b.timestamp ? -1 : 1;
}

/** When a build was made, in Unix milliseconds. */
export function buildTimeMs({ timestamp }: Build): number {
  const [, year, month, day, hours, minutes, seconds] =
    /^(\d{4})(\d\d)(\d\d)\.(\d\d)(\d\d)(\d\d)$/.exec(timestamp) ?? [];
  const ms = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hours),
    Number(minutes),
    Number(seconds),
  );
  return Number.isNaN(ms) ? 0 : ms;
}
