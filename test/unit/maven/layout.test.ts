import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../shared/errors.ts";
import { parseLayout } from "../../../functions/maven/layout.ts";
import { parseArtifactName } from "../../../functions/maven/snapshots.ts";

const id = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
const parse = (path: string) => parseLayout(path.split("/"));

describe("Maven's layout", () => {
  test("gives back the coordinates that a path is made of", () => {
    fc.assert(
      fc.property(
        fc.array(id, { minLength: 1, maxLength: 4 }),
        id,
        id,
        (group, artifact, version) => {
          const path = `${artifact}-${version}.jar`;
          expect(parse([...group, artifact, version, `${path}.sha1`].join("/"))).toEqual({
            target: { kind: "file", packageName: `${group.join(".")}:${artifact}`, version, path },
            checksum: "sha1",
          });
        },
      ),
    );
  });

  test("never throws anything but a refusal, whatever the path is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary", maxLength: 12 }), { maxLength: 6 }),
        (path) => {
          try {
            parseLayout(path);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidInputError);
          }
        },
      ),
    );
  });

  test.each([
    ["org/example/demo/1.0-SNAPSHOT/maven-metadata.xml", "snapshot-metadata"],
    ["org/example/demo/maven-metadata.xml", "metadata"],
    ["org/maven-metadata.xml", "metadata"],
    ["archetype-catalog.xml", "archetypes"],
    ["org/example/", "folder"],
    ["", "folder"],
  ])("takes %s for %s", (path, kind) => {
    expect(parse(path).target.kind).toBe(kind);
  });

  test.each([
    "demo.jar",
    "org/demo/demo.jar",
    "maven-metadata.xml",
    "org/../demo/1/demo-1.jar",
    "org/./demo/1/demo-1.jar",
    "org//demo/1/demo-1.jar",
    "org/a b/1/demo-1.jar",
    "org/demo/1/demo\u202e.jar",
    "or.g/demo/1/..",
    `org/demo/${"1".repeat(129)}/demo.jar`,
  ])("refuses %j", (path) => {
    expect(() => parse(path)).toThrow(InvalidInputError);
  });
});

describe("the name of an artifact", () => {
  test.each([
    ["demo-1.0.jar", "1.0", { classifier: "", extension: "jar" }],
    ["demo-1.0-sources.jar.asc", "1.0", { classifier: "sources", extension: "jar.asc" }],
    ["demo-1.0-bin.tar.gz", "1.0", { classifier: "bin", extension: "tar.gz" }],
    [
      "demo-1.0-20261121.003113-7-tests.jar",
      "1.0-SNAPSHOT",
      {
        value: "1.0-20261121.003113-7",
        build: { timestamp: "20261121.003113", number: 7 },
        classifier: "tests",
      },
    ],
  ])("%s", (path, version, expected) => {
    expect(parseArtifactName("org.example:demo", version, path)).toMatchObject(expected);
  });

  test.each(["other-1.0.jar", "demo-1.1.jar", "demo-1.0"])("%s is another's", (path) => {
    expect(parseArtifactName("org.example:demo", "1.0", path)).toBeUndefined();
  });
});
