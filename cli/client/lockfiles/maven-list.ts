import { XMLParser } from "fast-xml-parser";
import * as z from "zod";
import { type Lockfile, LockfileError, type LockedPackage } from "./locked.ts";

/**
 * Lines of `mvn dependency:list` (`group:artifact:type[:classifier]:version:scope`) and of `gradle.lockfile`
 * (`group:artifact:version=configurations`). They name what is resolved, whatever brought it in; parents of POMs and
 * plugins are not among it.
 */
export function readMavenList(text: string): Lockfile {
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const words = line.replace(/^\[INFO\]/, "").trim();
    const [coordinates = ""] = words.split(/[=\s]/, 1);
    const parts = coordinates.split(":");
    if (
      words.startsWith("#") ||
      parts.length < 3 ||
      parts.some((part) => !/^[\w.-]+$/.test(part))
    ) {
      continue;
    }
    const [group = "", artifact = "", third = "", fourth = "", fifth = ""] = parts;
    const isGradle = parts.length === 3;
    const version = isGradle ? third : parts.length === 6 ? fifth : fourth;
    const classifier = parts.length === 6 ? fourth : "";
    const known = { group, artifact, version, type: isGradle ? "jar" : third, classifier };
    if (version.endsWith("-SNAPSHOT")) skipped.push(coordinates);
    else packages.push(...artifactFiles(known, isGradle));
  }
  return { packages, skipped };
}

interface Artifact {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  readonly type: string;
  readonly classifier: string;
}

/** Types whose files end otherwise: https://maven.apache.org/ref/current/maven-core/artifact-handlers.html */
const ENDINGS: Readonly<Record<string, string>> = {
  bundle: "jar",
  ejb: "jar",
  "maven-plugin": "jar",
  "test-jar": "jar",
  "java-source": "jar",
  javadoc: "jar",
};

/** The POM, and the file itself; Gradle asks for its own metadata first, and says nothing of types. */
function artifactFiles(known: Artifact, isGradle: boolean): readonly LockedPackage[] {
  const { group, artifact, version, type, classifier } = known;
  const base = `${artifact}-${version}`;
  const file = (path: string, optional: boolean): LockedPackage => ({
    package: `${group}:${artifact}`,
    version,
    path,
    digests: [],
    ...(optional ? { optional } : {}),
  });
  const ending = ENDINGS[type] ?? type;
  const suffix = classifier === "" ? (type === "test-jar" ? "-tests" : "") : `-${classifier}`;
  return [
    file(`${base}.pom`, false),
    ...(type === "pom" ? [] : [file(`${base}${suffix}.${ending}`, isGradle)]),
    ...(isGradle ? [file(`${base}.module`, true)] : []),
  ];
}

const text = z.union([z.string(), z.number()]).transform(String);
const dependencySchema = z.looseObject({
  groupId: text,
  artifactId: text,
  version: text.optional(),
  type: text.optional(),
  classifier: text.optional(),
});
const pomSchema = z.object({
  project: z.looseObject({
    properties: z.record(z.string(), z.unknown()).optional().catch(undefined),
    dependencies: z
      .object({ dependency: z.array(dependencySchema).default([]) })
      .optional()
      .catch(undefined),
  }),
});

/** The direct dependencies of a POM whose versions stand in it. @throws {LockfileError} */
export function readPom(xml: string): Lockfile {
  const parsed = pomSchema.safeParse(parseXml(xml));
  if (!parsed.success) throw new LockfileError("it is no POM");
  const { properties = {}, dependencies } = parsed.data.project;
  const filled = (value: string): string =>
    value.replaceAll(/\$\{([^}]+)\}/g, (whole, name: string) => {
      const property = properties[name];
      return typeof property === "string" || typeof property === "number"
        ? String(property)
        : whole;
    });
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  for (const {
    groupId,
    artifactId,
    version = "",
    type = "jar",
    classifier = "",
  } of dependencies?.dependency ?? []) {
    const known = {
      group: filled(groupId),
      artifact: filled(artifactId),
      version: filled(version),
      type,
      classifier: filled(classifier),
    };
    const isPinned = /^[\w.-]+$/.test(known.version) && !known.version.endsWith("-SNAPSHOT");
    if (isPinned) packages.push(...artifactFiles(known, false));
    else skipped.push(`${known.group}:${known.artifact}:${known.version || "(no version)"}`);
  }
  return { packages, skipped };
}

function parseXml(xml: string): unknown {
  try {
    const parser = new XMLParser({
      parseTagValue: false,
      processEntities: false,
      isArray: (name) => name === "dependency",
    });
    const value: unknown = parser.parse(xml);
    return value;
  } catch {
    throw new LockfileError("it is no XML");
  }
}
