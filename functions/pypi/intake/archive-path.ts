import { InvalidInputError } from "../../../shared/errors.ts";
import { entryPathProblem, shallowestDepth } from "../../../shared/services/archives/entry-path.ts";

const CONTROL = { pattern: /\p{Cc}/u, problem: "it has a control character in it" } as const;

/**
 * Refuses the name of an entry that an installer might write outside of its folder, on any system.
 *
 * @throws {InvalidInputError}
 */
export function requirePathInside(name: string): void {
  const why = problemOf(name);
  if (why !== undefined) throw refused(name, why);
  if (name.split("/").includes("..")) throw refused(name, 'it has ".." in it');
}

/**
 * Refuses a link that leaves the archive's top folder. Symbolic links count from the folder that they are in,
 * hard links from the root of the archive.
 *
 * @throws {InvalidInputError}
 */
export function requireLinkInside(kind: "link" | "symlink", name: string, target: string): void {
  const why = problemOf(target);
  if (why !== undefined) throw refused(name, `it links to a place where ${why}`);
  if ((shallowestDepth(kind, name, target) ?? 1) < 1) {
    throw refused(name, "it links to a place outside of its folder");
  }
}

const problemOf = (path: string): string | undefined =>
  path === "" ? "it is empty" : entryPathProblem(path, CONTROL);

const refused = (name: string, why: string): InvalidInputError =>
  new InvalidInputError(
    `The archive has an entry ${JSON.stringify(name.slice(0, 100))} that cannot be unpacked safely: ${why}.`,
    [{ at: "content", problem: why }],
  );
