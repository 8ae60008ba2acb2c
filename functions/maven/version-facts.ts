import * as z from "zod";
import { isJsonObject, type JsonObject } from "../../shared/domain/json.ts";
import type { PomFacts } from "./pom.ts";
import { type ArtifactName, compareBuilds } from "./snapshots.ts";

const snapshotFile = z.object({
  classifier: z.string(),
  extension: z.string(),
  /** The version in the newest file's name. */
  value: z.string(),
  timestamp: z.string(),
  number: z.number(),
  /** `yyyyMMddHHmmss`, UTC. */
  updated: z.string(),
});
export type SnapshotFile = z.output<typeof snapshotFile>;

const schema = z.object({
  deploy: z.enum(["raw", "open", "complete"]),
  hasPom: z.boolean(),
  hasMain: z.boolean(),
  packaging: z.string(),
  /** What the package page shows of the POM; empty without one. */
  pom: z.custom<JsonObject>(isJsonObject),
  snapshot: z.array(snapshotFile),
});

/**
 * What a version's metadata says of its deploy, which consists of many requests:
 * `open` until it can be used, and not in maven-metadata.xml until then; `complete`; `raw` when none of its files is
 * named as Maven's layout has it. `snapshot` is the newest file of each classifier and extension.
 */
export type VersionFacts = z.output<typeof schema>;

const NEW: VersionFacts = {
  deploy: "raw",
  hasPom: false,
  hasMain: false,
  packaging: "",
  pom: {},
  snapshot: [],
};
/** Of a version of another repository, of which only the files are known that were fetched. */
export const FETCHED: VersionFacts = { ...NEW, deploy: "complete" };
/** Attached artifacts of one snapshot, beyond which no more are listed. */
const MAX_SNAPSHOT_FILES = 500;

/** @throws {z.ZodError} for a row that we did not write. */
export const factsOf = (metadata: JsonObject | undefined): VersionFacts =>
  metadata === undefined ? NEW : schema.parse(metadata);

/** How far the deploy is, without the rest of the facts. @throws as {@link factsOf} */
export const deployOf = ({ deploy }: JsonObject): VersionFacts["deploy"] =>
  schema.shape.deploy.parse(deploy);

export const isListed = (metadata: JsonObject): boolean => deployOf(metadata) === "complete";

/** What Ivy publishes in the place of a POM, by its default patterns. */
const IVY_FILE = /^ivy(?:-[^/]+)?\.xml$/;

/** The facts after one file more. `pom`: what is in it, when it is the POM. */
export function withFile(
  facts: VersionFacts,
  path: string,
  name: ArtifactName | undefined,
  pom: PomFacts | undefined,
  nowMs: number,
): VersionFacts {
  if (name === undefined) {
    return IVY_FILE.test(path) ? { ...facts, deploy: "complete" } : facts;
  }
  const packaging = pom?.packaging ?? facts.packaging;
  const hasPom = facts.hasPom || pom !== undefined;
  const hasMain = facts.hasMain || isMain(name);
  const isUsable = hasPom && (hasMain || packaging === "pom");
  return {
    ...facts,
    packaging,
    hasPom,
    hasMain,
    deploy: facts.deploy === "complete" || isUsable ? "complete" : "open",
    ...(pom === undefined ? {} : { pom: pom.shown }),
    ...(name.build === undefined
      ? {}
      : { snapshot: withBuild(facts.snapshot, name, name.build, nowMs) }),
  };
}

/** The artifact itself: not its POM, Gradle's module metadata, a signature, or anything with a classifier. */
function isMain({ classifier, extension }: ArtifactName): boolean {
  return classifier === "" && !/^(?:pom|module)$|(?:^|\.)asc$/.test(extension);
}

function withBuild(
  files: readonly SnapshotFile[],
  { classifier, extension, value }: ArtifactName,
  build: NonNullable<ArtifactName["build"]>,
  nowMs: number,
): SnapshotFile[] {
  const others = files.filter(
    (file) => file.classifier !== classifier || file.extension !== extension,
  );
  const known = files.find((file) => !others.includes(file));
  if (known !== undefined && compareBuilds(known, build) > 0) return [...files];
  if (known === undefined && files.length >= MAX_SNAPSHOT_FILES) return [...files];
  return [...others, { classifier, extension, value, ...build, updated: utcStamp(nowMs) }];
}

/** `yyyyMMddHHmmss` in UTC, as maven-metadata.xml writes times. */
export const utcStamp = (ms: number): string =>
  new Date(ms).toISOString().replaceAll(/\D/g, "").slice(0, 14);
