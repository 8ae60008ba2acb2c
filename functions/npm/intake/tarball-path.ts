import { InvalidInputError } from "../../../shared/errors.ts";

/** Where an entry of a tarball belongs. */
export interface EntryPath {
  /** First segment. */
  readonly folder: string;
  /** Below the folder, without a slash at either end; empty for the folder itself. */
  readonly path: string;
}

const MAX_PATH_LENGTH = 4096;

/**
 * The place of an entry by its name. Clients strip the first segment and write below a folder of their own, so
 * nothing may name a place outside of it, on any system that a client runs on.
 *
 * @throws {InvalidInputError}
 */
export function parseEntryPath(name: string): EntryPath {
  const why = problemOf(name);
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
  const why = problemOf(target);
  if (why !== undefined) throw refused(name, `it links to a place where ${why}`);
  const base = kind === "symlink" ? name.split("/").slice(0, -1) : [];
  let depth = 0;
  for (const segment of [...base, ...target.split("/")]) {
    if (segment === "" || segment === ".") continue;
    depth += segment === ".." ? -1 : 1;
    if (depth < 1) break;
  }
  // Depth 0 is above the one folder that is unpacked.
  if (depth < 1) throw refused(name, "it links to a place outside of the package");
}

function problemOf(path: string): string | undefined {
  if (path.length > MAX_PATH_LENGTH) return `it is longer than ${MAX_PATH_LENGTH} characters`;
  if (path.includes("\0")) return "it has a NUL character in it";
  if (path.includes("\\")) return "it has a backslash in it";
  if (path.startsWith("/")) return "it is absolute";
  if (/^[A-Za-z]:/.test(path)) return "it begins with a drive letter";
  return undefined;
}

const refused = (name: string, why: string): InvalidInputError =>
  new InvalidInputError(
    `The tarball has an entry ${JSON.stringify(name.slice(0, 100))} that cannot be unpacked safely: ${why}.`,
    [{ at: "/_attachments", problem: why }],
  );
