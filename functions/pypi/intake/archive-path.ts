import { InvalidInputError } from "../../../shared/errors.ts";

const MAX_PATH_LENGTH = 4096;
const CONTROL = /\p{Cc}/u;

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
  const base = kind === "symlink" ? name.split("/").slice(0, -1) : [];
  let depth = 0;
  for (const segment of [...base, ...target.split("/")]) {
    if (segment === "" || segment === ".") continue;
    depth += segment === ".." ? -1 : 1;
    if (depth < 1) throw refused(name, "it links to a place outside of its folder");
  }
}

function problemOf(path: string): string | undefined {
  if (path === "") return "it is empty";
  if (path.length > MAX_PATH_LENGTH) return `it is longer than ${MAX_PATH_LENGTH} characters`;
  if (CONTROL.test(path)) return "it has a control character in it";
  if (path.includes("\\")) return "it has a backslash in it";
  if (path.startsWith("/")) return "it is absolute";
  if (/^[A-Za-z]:/.test(path)) return "it begins with a drive letter";
  return undefined;
}

const refused = (name: string, why: string): InvalidInputError =>
  new InvalidInputError(
    `The archive has an entry ${JSON.stringify(name.slice(0, 100))} that cannot be unpacked safely: ${why}.`,
    [{ at: "content", problem: why }],
  );
