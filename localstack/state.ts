import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import * as z from "zod";

/** Everything that runs and is stored locally, outside of version control. */
export const LOCAL_FOLDER = resolve(import.meta.dirname, "..", ".tmp", "local");

const stateSchema = z.object({
  endpoint: z.object({
    url: z.url(),
    certificate: z.string().optional(),
  }),
  /** Processes that `local:up` and `local:deploy` started, by name; each leads a process group of its own. */
  processes: z.record(z.string(), z.int().positive()),
  deployment: z
    .object({
      /** Where clients find the registry, without a slash at the end. */
      url: z.url(),
      /** Of an administrator. */
      token: z.string().min(1),
      /** Values of the stacks by name of the output. */
      outputs: z.record(z.string(), z.string()),
    })
    .optional(),
});

/** What is running locally and how it is reached. */
export type LocalState = z.output<typeof stateSchema>;
/** A registry deployed to a local endpoint. */
export type LocalDeployment = NonNullable<LocalState["deployment"]>;

const FILE = join(LOCAL_FOLDER, "state.json");

/**
 * What the last `local:up` and `local:deploy` left; `undefined` when nothing is up.
 *
 * @throws when the file is not of our making.
 */
export async function readState(): Promise<LocalState | undefined> {
  let text: string;
  try {
    text = await readFile(FILE, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return stateSchema.parse(JSON.parse(text));
}

/** Replaces what {@link readState} gives. The file holds a token, so that only its owner may read it. */
export async function writeState(state: LocalState): Promise<void> {
  await mkdir(dirname(FILE), { recursive: true });
  await writeFile(FILE, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
}

/** Removes all that is stored locally. */
export async function removeState(): Promise<void> {
  await rm(LOCAL_FOLDER, { recursive: true, force: true, maxRetries: 5 });
}
