import { accessSync, constants, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

// Programs that come from npm, and the folders that hold clients outside PATH on the test machines.
const EXTRA_FOLDERS = [
  join(PROJECT, "node_modules", ".bin"),
  join(PROJECT, "node_modules", "@dynoxide", `${process.platform}-${process.arch}`),
  ...(process.env["ENTREPOT_TEST_PROGRAMS"] ?? "").split(delimiter),
].filter((folder) => folder !== "");

/**
 * Where a program is: in PATH first, then in the folders of `ENTREPOT_TEST_PROGRAMS` (separated as PATH is)
 * and of npm. `undefined` when this machine does not have it.
 */
export function programPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders, ...EXTRA_FOLDERS]
    .map((folder) => join(folder, name))
    .find((path) => isProgram(path));
}

/**
 * Describes tests that need a program. Without it they are skipped, under a title that names it; in CI
 * (`CI=true`) they fail instead, so that a missing client is never taken for a passing one.
 *
 * @param tests - gets the program's path.
 */
export function describeWith(program: string, title: string, tests: (path: string) => void): void {
  describeWhen(programPath(program), program, title, tests);
}

/** {@link describeWith} for what a test needs that is not found by name, such as an endpoint. */
export function describeWhen<Needed>(
  found: Needed | undefined,
  name: string,
  title: string,
  tests: (found: Needed) => void,
): void {
  if (found !== undefined) {
    describe(title, () => tests(found));
    return;
  }
  describe(title, () => {
    test.skipIf(process.env["CI"] !== "true")(`needs ${name}`, () => {
      throw new Error(`${name} is missing on this machine, and CI runs every test`);
    });
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
