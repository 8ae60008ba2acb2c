import { open } from "node:fs/promises";
import { basename } from "node:path";
import { CliError, EXIT, usageError } from "../failures.ts";
import { readImageList } from "./image-list.ts";
import { type Lockfile, LockfileError } from "./locked.ts";
import { readMavenList, readPom } from "./maven-list.ts";
import { readNpmLock } from "./npm-lock.ts";
import { readPnpmLock } from "./pnpm-lock.ts";
import { readPythonLock } from "./python-lock.ts";
import { readRequirements } from "./requirements.ts";
import { readYarnLock } from "./yarn-lock.ts";

const MAX_BYTES = 64 * 1024 * 1024;

/** Kinds of lockfiles, with the names by which each is known. */
const KINDS = [
  {
    kind: "npm",
    ecosystem: "npm",
    names: /^(?:package-lock|npm-shrinkwrap)\b.*\.json$/,
    read: readNpmLock,
  },
  { kind: "pnpm", ecosystem: "npm", names: /^pnpm-lock.*\.ya?ml$/, read: readPnpmLock },
  { kind: "yarn", ecosystem: "npm", names: /^yarn.*\.lock$/, read: readYarnLock },
  { kind: "requirements", ecosystem: "pypi", names: /require.*\.txt$/, read: readRequirements },
  { kind: "uv", ecosystem: "pypi", names: /^uv.*\.lock$/, read: readPythonLock },
  { kind: "poetry", ecosystem: "pypi", names: /^poetry.*\.lock$/, read: readPythonLock },
  { kind: "pom", ecosystem: "maven", names: /(?:^|[.-])pom\b.*$|\.pom$/, read: readPom },
  { kind: "gradle", ecosystem: "maven", names: /\.lockfile$/, read: readMavenList },
  { kind: "maven", ecosystem: "maven", names: /.\.txt$/, read: readMavenList },
  { kind: "images", ecosystem: "oci", names: /./, read: readImageList },
] as const;

export const LOCKFILE_KINDS = KINDS.map(({ kind }) => kind);

/**
 * What a file locks, for registries of an ecosystem. Its kind is known by its name unless `kind` says it.
 *
 * @throws {CliError} for a file that cannot be read, or is not of its kind, or not for this ecosystem.
 */
export async function readLockfile(
  path: string,
  ecosystem: string,
  kind: string | undefined,
): Promise<Lockfile> {
  const fitting = KINDS.filter((one) => one.ecosystem === ecosystem);
  const found = fitting.find((one) =>
    kind === undefined ? one.names.test(basename(path)) : one.kind === kind,
  );
  if (found === undefined) {
    const known = fitting.map((one) => one.kind).join(", ");
    throw usageError(
      `${path} is no lockfile for ${ecosystem} registries that is known by its name.`,
      known === ""
        ? "None is known for this ecosystem."
        : `Say what it is: --kind, one of ${known}`,
    );
  }
  const text = await readText(path);
  try {
    return found.read(text);
  } catch (error) {
    if (!(error instanceof LockfileError)) throw error;
    throw new CliError(EXIT.failure, `${path} cannot be read as ${found.kind}: ${error.message}.`);
  }
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > MAX_BYTES) {
      throw new CliError(EXIT.failure, `${path} is larger than ${MAX_BYTES} bytes.`);
    }
    return await file.readFile("utf8");
  } catch (error) {
    if (error instanceof CliError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.failure, `${path} cannot be read: ${why}`);
  }
}
