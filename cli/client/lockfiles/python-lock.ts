import { type Lockfile, LockfileError, type LockedPackage } from "./locked.ts";

/**
 * `uv.lock` and `poetry.lock`, as those tools write them: not TOML of any shape, so that blocks are read line by line.
 * Both name each file with its sum. @throws {LockfileError}
 */
export function readPythonLock(text: string): Lockfile {
  const blocks = text.split(/^\[\[package\]\]\r?$/m).slice(1);
  if (blocks.length === 0) throw new LockfileError("it has no [[package]]");
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  for (const block of blocks) {
    const name = /^name = "(.+)"\r?$/m.exec(block)?.[1];
    const version = /^version = "(.+)"\r?$/m.exec(block)?.[1];
    if (name === undefined) continue;
    // uv names where each comes from, poetry only what is not from an index of the default kind.
    const source = /^source = \{ (\w+) =/m.exec(block)?.[1];
    const other = /^\[package\.source\]\r?\ntype = "(.+)"/m.exec(block)?.[1];
    const isLocal = source !== undefined && source !== "registry";
    if (isLocal || (other !== undefined && other !== "legacy") || version === undefined) {
      if (source !== "virtual" && source !== "editable") skipped.push(name);
      continue;
    }
    packages.push(...filesOf(block).map((file) => ({ package: name, version, ...file })));
  }
  return { packages, skipped };
}

function filesOf(block: string): readonly Pick<LockedPackage, "path" | "digests">[] {
  const entries = block.matchAll(
    /\{ ?(?:url|file) = "([^"]+)", hash = "(sha256|sha512):([0-9a-f]+)"/g,
  );
  return [...entries].map(([, place = "", algorithm = "", hex = ""]) => {
    const path = decodeURIComponent(place.split(/[?#]/, 1)[0]?.split("/").at(-1) ?? "");
    return { path, digests: [`${algorithm}:${hex}`] };
  });
}
