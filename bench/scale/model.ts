import type { Measured, MeasuredPackage } from "./measure.ts";
import type { Units } from "./metered-table.ts";

/** A registry and its load, as somebody might plan it. */
export interface Load {
  readonly packages: number;
  readonly versions: number;
  readonly pullsPerSecond: number;
  /** Of pulls: how many ask for metadata; the others fetch a file. */
  readonly metadataShare: number;
  readonly publishesPerSecond: number;
  /** Of a package's file, in bytes. */
  readonly fileBytes: number;
  /** Exponent of Zipf's law over packages: how much is asked of the n-th is 1/n^s. */
  readonly zipf: number;
}

/** The load model of the project: 100,000 packages with 10 million versions, 5,000 pulls a second. */
export const ISSUE_LOAD: Load = {
  packages: 100_000,
  versions: 10_000_000,
  pullsPerSecond: 5000,
  metadataShare: 0.5,
  publishesPerSecond: 5,
  fileBytes: 250_000,
  zipf: 1,
};

/** Time that a function waits for its stores, by what it asks; p50 of the services in one region. */
const WAIT_MS = { dynamoRead: 4, dynamoTransaction: 12, s3Get: 25, s3Put: 45, kmsSign: 10 };
/** This machine's core is about as fast as one of Lambda's arm64; a function of 1,024 MB has 0.58 of one. */
const CPU_SHARE = 1024 / 1769;

/** A package of the registry by its rank, and how much of the load is its. */
export interface Rank {
  readonly rank: number;
  readonly share: number;
  readonly versions: number;
}

export interface Flow {
  readonly perSecond: Units;
  readonly s3GetsPerSecond: number;
  readonly s3PutsPerSecond: number;
  /** Copies of functions busy at once, by Little's law. */
  readonly concurrency: number;
  readonly gigabyteSecondsPerSecond: number;
}

export interface ModelResult {
  readonly load: Load;
  readonly pulls: Flow;
  readonly publishes: Flow;
  readonly hottest: { readonly name: string; readonly perSecond: Units };
  readonly sharedPartitions: ReadonlyMap<string, Units>;
  readonly tableGigabytes: number;
}

/**
 * Puts measured requests together. Sampled: packages of a few sizes. Extrapolated: what lies between two sizes, in
 * proportion to the logarithm of the versions; what asks for which package, by Zipf's law; versions follow the same law
 * as the load, which is the worst case: what is asked for most has most versions.
 */
export function extrapolate(load: Load, measured: readonly MeasuredPackage[]): ModelResult {
  const ranks = ranksOf(load);
  const metadata = (versions: number): Measured => between(measured, versions, "metadata");
  const file = (versions: number): Measured => between(measured, versions, "file");
  const publish = (versions: number): Measured => between(measured, versions, "publish");
  const pullRates = ranks.flatMap(({ share, versions }) => {
    const rate = load.pullsPerSecond * share;
    return [
      { rate: rate * load.metadataShare, request: metadata(versions) },
      { rate: rate * (1 - load.metadataShare), request: file(versions) },
    ];
  });
  const publishRates = ranks.map(({ share, versions }) => ({
    rate: load.publishesPerSecond * share,
    request: publish(versions),
  }));
  const [top] = ranks;
  if (top === undefined) throw new Error("a registry has packages");
  const topPulls = load.pullsPerSecond * top.share;
  const topUnits = [
    scale(metadata(top.versions).packageUnits, topPulls * load.metadataShare),
    scale(file(top.versions).packageUnits, topPulls * (1 - load.metadataShare)),
    scale(publish(top.versions).packageUnits, load.publishesPerSecond * top.share),
  ].reduce(add);
  const rowBytes = interpolate(
    measured,
    load.versions / load.packages,
    (size) => size.rowBytesPerVersion,
  );
  return {
    load,
    pulls: flowOf(pullRates),
    publishes: flowOf(publishRates),
    hottest: { name: `package 1 (${top.versions} versions)`, perSecond: topUnits },
    sharedPartitions: sharedOf([...pullRates, ...publishRates]),
    tableGigabytes: (rowBytes * load.versions) / 1e9,
  };
}

/** The largest number of versions that are modelled for one package. */
const MAX_VERSIONS = 1000;

function ranksOf({ packages, versions, zipf }: Load): readonly Rank[] {
  const weights = Array.from({ length: packages }, (_, index) => 1 / (index + 1) ** zipf);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight, index) => {
    const share = weight / total;
    return {
      rank: index + 1,
      share,
      versions: Math.max(1, Math.min(MAX_VERSIONS, Math.round(versions * share))),
    };
  });
}

interface Rated {
  readonly rate: number;
  readonly request: Measured;
}

function flowOf(rated: readonly Rated[]): Flow {
  let [units, gets, puts, busyMs]: [Units, number, number, number] = [
    { read: 0, write: 0 },
    0,
    0,
    0,
  ];
  for (const { rate, request } of rated) {
    units = add(units, scale(request.units, rate));
    const ofS3 = (names: readonly string[]): number =>
      names.reduce((sum, name) => sum + countOf(request, name), 0);
    const s3Gets = ofS3(["open", "stat"]);
    const s3Puts = ofS3(["put", "stage", "commitStaged", "completeMultipart"]);
    gets += rate * s3Gets;
    puts += rate * s3Puts;
    busyMs += rate * durationMs(request, s3Gets, s3Puts);
  }
  const concurrency = busyMs / 1000;
  return {
    perSecond: units,
    s3GetsPerSecond: gets,
    s3PutsPerSecond: puts,
    concurrency,
    gigabyteSecondsPerSecond: concurrency,
  };
}

function countOf(request: Measured, name: string): number {
  for (const [known, count] of Object.entries(request.blobs)) if (known === name) return count;
  return 0;
}

/** Stores are asked one after the other here, which is more than they take where they are asked at once. */
function durationMs(request: Measured, s3Gets: number, s3Puts: number): number {
  const writes = request.units.write > 0 ? WAIT_MS.dynamoTransaction + WAIT_MS.kmsSign : 0;
  return (
    request.cpuMs / CPU_SHARE +
    WAIT_MS.dynamoRead +
    writes +
    s3Gets * WAIT_MS.s3Get +
    s3Puts * WAIT_MS.s3Put
  );
}

/** Partitions of other keys than the package's, were each family a single partition: the worst case. */
function sharedOf(rated: readonly Rated[]): ReadonlyMap<string, Units> {
  const all = new Map<string, Units>();
  for (const { rate, request } of rated) {
    for (const [family, units] of request.shared) {
      const more = scale(units, rate);
      const known = all.get(family);
      all.set(family, known === undefined ? more : add(known, more));
    }
  }
  return all;
}

function between(
  measured: readonly MeasuredPackage[],
  versions: number,
  kind: "metadata" | "file" | "publish",
): Measured {
  const of = (pick: (request: Measured) => number): number =>
    interpolate(measured, versions, (size) => pick(size[kind]));
  const nearest = measured.reduce((best, size) =>
    Math.abs(size.versions - versions) < Math.abs(best.versions - versions) ? size : best,
  );
  return {
    ...nearest[kind],
    units: { read: of(({ units }) => units.read), write: of(({ units }) => units.write) },
    packageUnits: {
      read: of(({ packageUnits }) => packageUnits.read),
      write: of(({ packageUnits }) => packageUnits.write),
    },
    cpuMs: of(({ cpuMs }) => cpuMs),
  };
}

/** Straight between two measured sizes over the number of versions; beyond them, the nearest. */
function interpolate(
  measured: readonly MeasuredPackage[],
  versions: number,
  pick: (size: MeasuredPackage) => number,
): number {
  const below = measured.findLast((size) => size.versions <= versions) ?? measured[0];
  const above = measured.find((size) => size.versions >= versions) ?? measured.at(-1);
  if (below === undefined || above === undefined) throw new Error("nothing was measured");
  if (below === above) return pick(below);
  const way = (versions - below.versions) / (above.versions - below.versions);
  return pick(below) + way * (pick(above) - pick(below));
}

const add = (a: Units, b: Units): Units => ({ read: a.read + b.read, write: a.write + b.write });
const scale = ({ read, write }: Units, by: number): Units => ({
  read: read * by,
  write: write * by,
});
