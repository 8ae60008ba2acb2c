const MAX_PATH_LENGTH = 4096;

/** Characters that no path may have, and what is said of a path that has one. */
export interface ForbiddenCharacters {
  readonly pattern: RegExp;
  readonly problem: string;
}

/**
 * Why an installer, on any system, might write an entry of this path outside of its folder, or not at all;
 * `undefined` for a path that says nothing of the kind. ".." is the caller's to judge: links may have it.
 */
export function entryPathProblem(path: string, forbidden: ForbiddenCharacters): string | undefined {
  if (path.length > MAX_PATH_LENGTH) return `it is longer than ${MAX_PATH_LENGTH} characters`;
  if (forbidden.pattern.test(path)) return forbidden.problem;
  if (path.includes("\\")) return "it has a backslash in it";
  if (path.startsWith("/")) return "it is absolute";
  if (/^[A-Za-z]:/.test(path)) return "it begins with a drive letter";
  return undefined;
}

/**
 * How deep in the archive a link is at the shallowest step of its way: 1 is the top folder, less is outside of it;
 * `undefined` when it goes nowhere from the archive's root. Symbolic links count from the folder that they are in,
 * hard links from the root of the archive.
 */
export function shallowestDepth(
  kind: "link" | "symlink",
  name: string,
  target: string,
): number | undefined {
  const base = kind === "symlink" ? name.split("/").slice(0, -1) : [];
  const steps = [...base, ...target.split("/")].filter((step) => step !== "" && step !== ".");
  let depth = 0;
  let shallowest: number | undefined;
  for (const step of steps) {
    depth += step === ".." ? -1 : 1;
    shallowest = Math.min(shallowest ?? depth, depth);
  }
  return shallowest;
}
