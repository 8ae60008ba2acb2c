import * as z from "zod";
import { InvalidInputError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/domain/json.ts";
import { coordinatesOf } from "./layout.ts";
import { entriesOf, parseXml } from "./xml.ts";
import { unescapeXml } from "./xml-text.ts";

/** More is no POM that a person or a build wrote. */
export const MAX_POM_BYTES = 2 * 1024 * 1024;
const MAX_DEPENDENCIES = 300;
const MAX_PEOPLE = 50;

const words = (limit: number) =>
  z
    .unknown()
    .optional()
    .transform((value) => (typeof value === "string" ? unescapeXml(value).slice(0, limit) : ""));
const line = words(300);

/** `<outer><inner/>…</outer>` as a list of what can be used. */
const list = <Entry extends z.ZodType>(inner: string, entry: Entry, limit: number) =>
  z
    .unknown()
    .optional()
    .transform((value): z.output<Entry>[] =>
      entriesOf(value, inner)
        .slice(0, limit)
        .flatMap((each) => {
          const result = entry.safeParse(each);
          return result.success ? [result.data] : [];
        }),
    );

const dependency = z.object({
  groupId: line,
  artifactId: line,
  version: line,
  scope: line,
  type: line,
  classifier: line,
  optional: line,
});
const parent = z.object({ groupId: line, artifactId: line, version: line });

const project = z.object({
  groupId: line,
  artifactId: line,
  version: line,
  packaging: line,
  name: line,
  description: words(2000),
  url: line,
  parent: z
    .unknown()
    .optional()
    .transform((value) => {
      const result = parent.safeParse(value);
      return result.success ? result.data : undefined;
    }),
  licenses: list("license", z.object({ name: line, url: line }), MAX_PEOPLE),
  developers: list(
    "developer",
    z.object({ id: line, name: line, email: line, organization: line }),
    MAX_PEOPLE,
  ),
  dependencies: list("dependency", dependency, MAX_DEPENDENCIES),
  scm: z
    .unknown()
    .optional()
    .transform((value) => {
      const result = z.object({ url: line }).safeParse(value);
      return result.success ? result.data.url : "";
    }),
});

/** What the package page and the metadata need of a POM. Properties (`${…}`) stay as they are written. */
export interface PomFacts {
  readonly packaging: string;
  readonly name: string;
  readonly description: string;
  /** For the version's metadata. */
  readonly shown: JsonObject;
}

/**
 * Reads a POM (https://maven.apache.org/pom.html) that is deployed at `packageName` and `version`.
 *
 * @throws {InvalidInputError} when it is no POM, or another's.
 */
export function readPom(bytes: Uint8Array, packageName: string, version: string): PomFacts {
  const root = z.object({ project: z.unknown().optional() }).safeParse(parseXml(bytes, "The POM"));
  const parsed = project.safeParse(root.success ? root.data.project : undefined);
  if (!parsed.success) throw invalid("The POM has no <project> with elements in it");
  const pom = parsed.data;
  const { group, artifact } = coordinatesOf(packageName);
  requireSame("artifactId", pom.artifactId, artifact);
  requireSame("groupId", pom.groupId === "" ? (pom.parent?.groupId ?? "") : pom.groupId, group);
  requireSame("version", pom.version === "" ? (pom.parent?.version ?? "") : pom.version, version);
  const packaging = pom.packaging === "" ? "jar" : pom.packaging;
  const { parent: inherited, artifactId: _a, groupId: _g, version: _v, ...rest } = pom;
  return {
    packaging,
    name: pom.name,
    description: pom.description === "" ? pom.name : pom.description,
    shown: { ...rest, packaging, ...(inherited === undefined ? {} : { parent: inherited }) },
  };
}

/** A property, such as `${revision}`, may stand for anything. */
function requireSame(element: string, found: string, expected: string): void {
  if (found === expected || found.includes("${")) return;
  throw invalid(
    `The POM's ${element} is "${found.slice(0, 100)}", but its path says "${expected}"; deploy it where it belongs`,
  );
}

const invalid = (message: string): InvalidInputError =>
  new InvalidInputError(`${message}.`, [{ at: "body", problem: "not this POM" }]);
