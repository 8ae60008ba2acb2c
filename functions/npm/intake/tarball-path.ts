import { InvalidInputError } from "../../../shared/errors.ts";
import { entryPathProblem, shallowestDepth } from "../../../shared/services/archives/entry-path.ts";

/** Where an entry of a tarball belongs. */
export interface EntryPath {
  /** First segment. */
  readonly folder: string;
  /** Below the folder, without a slash at either end; empty for the folder itself. */
  readonly path: string;
}

const NUL = { pattern: /\0/, problem: "it has a NUL character in it" } as const;

/**
 * The place of an entry by its name. Clients strip the first segment and write below a folder of their own, so
 * nothing may name a place outside of it, on any system that a client runs on.
 *
 * @throws {InvalidInputError}
 */
export function parseEntryPath(name: string): EntryPath {
  const why = entryPathProblem(name, NUL);
  if (why !== undefined) throw refused(name, why);
  const segments = name.split("/").filter((segment) => segment !== "");
  if (segments.includes("..")) throw refused(name, 'it has ".." in it');
  // npm strips exactly one segment, so that "./package/package.json" would land one folder too deep.
  if (segments.includes(".")) throw refused(name, 'it has a segment "."');
  const [folder, ...rest] = segments;
  if (folder === undefined) throw refused(name, "it is empty");
  return { folder, path: rest.join("/") };
}

/**
 * Checks that a link stays below the tarball's folder. Symbolic links count from the folder that they are
 * in, hard links from the root of the archive.
 *
 * @throws {InvalidInputError}
 */
export function requireLinkInside(kind: "link" | "symlink", name: string, target: string): void {
  const why = entryPathProblem(target, NUL);
  if (why !== undefined) throw refused(name, `it links to a place where ${why}`);
  // Depth 0 is above the one folder that is unpacked.
  if ((shallowestDepth(kind, name, target) ?? 0) < 1) {
    throw refused(name, "it links to a place outside of the package");
  }
}

const refused = (name: string, why: string): InvalidInputError =>
  new InvalidInputError(
    `The tarball has an entry ${JSON.stringify(name.slice(0, 100))} that cannot be unpacked safely: ${why}.`,
    [{ at: "/_attachments", problem: why }],
  );
