import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseDistributionName, parseProjectName } from "../../../functions/pypi/names.ts";

test("normal forms are their own normal forms", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?$/), (name) => {
      const normal = parseProjectName(name);
      expect(normal).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(parseProjectName(normal)).toBe(normal);
    }),
  );
});

test.each(["", "-a", "a-", "a b", "ä", "a/b", "a".repeat(201), "..", "a\u0000"])(
  "%j is no project's name",
  (name) => {
    expect(() => parseProjectName(name)).toThrow(/project's name/);
  },
);

test.each([
  ["Acme.Demo_pkg-1.0.0-py3-none-any.whl", "acme-demo-pkg", "1.0.0", "py3"],
  [
    "demo-1.0-1build-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "demo",
    "1.0",
    "cp312",
  ],
  ["demo-1!2.0+cu121-py2.py3-none-any.whl", "demo", "1!2.0+cu121", "py2.py3"],
  ["demo-pkg-1.0-1.tar.gz", "demo-pkg", "1.0.post1", "source"],
  ["demo-2-1.0.tar.gz", "demo-2", "1.0", "source"],
  ["demo-1.0.zip", "demo", "1.0", "source"],
])("%s is read as of %s %s", (fileName, project, version, pythonVersion) => {
  expect(parseDistributionName(fileName, project)).toMatchObject({
    fileName,
    project,
    version,
    pythonVersion,
  });
});

test.each([
  "other-1.0.tar.gz",
  "demo-1.0.tar.bz2",
  "demo-1.0-py3.11.egg",
  "demo-1.0.whl",
  "demo-x-py3-none-any.whl",
  "demo.tar.gz",
  "demo-1.0/../x.tar.gz",
  ".demo-1.0.tar.gz",
  `demo-1.0-${"a".repeat(300)}-none-any.whl`,
])("%s cannot be published as a file of demo", (fileName) => {
  expect(() => parseDistributionName(fileName, "demo")).toThrow(/cannot be published/);
});
