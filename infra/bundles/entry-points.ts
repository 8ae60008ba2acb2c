import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** A function's entry. */
export interface EntryPoint {
  readonly name: string;
  /** Absolute. */
  readonly file: string;
}

const ENTRY = "index.lambda.ts";

/** Every folder of `functions` and `functions/workers` that has an `index.lambda.ts`, by name. */
export function findEntryPoints(root: string): readonly EntryPoint[] {
  return [join(root, "functions"), join(root, "functions", "workers")]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder).map((name) => ({ name, file: join(folder, name, ENTRY) })),
    )
    .filter(({ file }) => existsSync(file))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}
