import * as z from "zod";
import { digestsOfIntegrity, type Lockfile, LockfileError, type LockedPackage } from "./locked.ts";

const MAX_DEPTH = 100;

/** https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json#packages */
const entrySchema = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.unknown().optional(),
  integrity: z.unknown().optional(),
  link: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  /** The same, in version 1. */
  bundled: z.boolean().optional(),
  dependencies: z.unknown().optional(),
});
const entriesSchema = z.record(z.string(), entrySchema);
const lockSchema = z.looseObject({
  lockfileVersion: z.number(),
  packages: entriesSchema.optional(),
  dependencies: z.unknown().optional(),
});

type Entry = z.infer<typeof entrySchema>;

/** `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3. @throws {LockfileError} */
export function readNpmLock(text: string): Lockfile {
  const lock = parse(lockSchema, json(text));
  return lock.packages === undefined ? readTree(lock.dependencies) : readPackages(lock.packages);
}

function readPackages(entries: Readonly<Record<string, Entry>>): Lockfile {
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  for (const [place, entry] of Object.entries(entries)) {
    const folder = place.split("node_modules/").at(-1) ?? "";
    // What is no folder of node_modules is the project or a workspace of it; a bundled one comes with its parent.
    if (!place.includes("node_modules/") || entry.link === true || entry.inBundle === true)
      continue;
    add(entry.name ?? folder, entry.version, entry, { packages, skipped });
  }
  return { packages, skipped };
}

/** Version 1: packages nested as folders are. */
function readTree(dependencies: unknown, depth = 0): Lockfile {
  if (dependencies === undefined) return { packages: [], skipped: [] };
  if (depth > MAX_DEPTH) throw new LockfileError("it is nested too deep");
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  for (const [folder, entry] of Object.entries(parse(entriesSchema, dependencies))) {
    const [, alias, aliased] = /^npm:(.+)@([^@]+)$/.exec(entry.version ?? "") ?? [];
    if (entry.bundled !== true) {
      add(alias ?? folder, aliased ?? entry.version, entry, { packages, skipped });
    }
    const inner = readTree(entry.dependencies, depth + 1);
    packages.push(...inner.packages);
    skipped.push(...inner.skipped);
  }
  return { packages, skipped };
}

function add(
  name: string,
  version: string | undefined,
  { resolved, integrity }: Entry,
  into: { readonly packages: LockedPackage[]; readonly skipped: string[] },
): void {
  const from = typeof resolved === "string" ? resolved : (version ?? "");
  if (version === undefined || /^(?:git|file:|link:|github:|[^/]+\/[^/]+#)/.test(from)) {
    into.skipped.push(`${name} from ${from === "" ? "nowhere" : from}`);
  } else if (/^https?:/.test(version)) {
    into.skipped.push(`${name} from ${version}`);
  } else {
    into.packages.push({ package: name, version, digests: digestsOfIntegrity(integrity) });
  }
}

function json(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new LockfileError("it is no JSON");
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LockfileError(`${issue?.path.join(" > ") ?? ""}: ${issue?.message ?? "not valid"}`);
}
