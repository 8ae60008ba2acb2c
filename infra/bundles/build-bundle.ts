import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import type { EntryPoint } from "./entry-points.ts";
import { pureSchemas } from "./pure-schemas.ts";
import { trims } from "./trims.ts";

/** A bundle that was written. */
export interface Bundle {
  readonly name: string;
  /** Absolute path of `index.mjs`. */
  readonly file: string;
  readonly sizeBytes: number;
  /** What went in, by module. */
  readonly metafile: Metafile;
}

/** CommonJS packages ask for Node's own modules by `require`, which an ES module does not have. */
const REQUIRE =
  'import{createRequire as entrepotRequire}from"node:module";const require=entrepotRequire(import.meta.url);';

/**
 * Bundles one function to `.build/functions/<name>/index.mjs`, the whole of what is deployed, with its source map apart
 * in `.build/maps`: a map is as large as the code, and Lambda would load it with every error.
 */
export async function buildBundle(root: string, entry: EntryPoint): Promise<Bundle> {
  const folder = join(root, ".build", "functions", entry.name);
  const maps = join(root, ".build", "maps");
  const file = join(folder, "index.mjs");
  const { outputFiles, metafile } = await build({
    entryPoints: [entry.file],
    outfile: file,
    absWorkingDir: root,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node24",
    // Packages that have both are tree-shaken as ES modules only.
    mainFields: ["module", "main"],
    sourcemap: "external",
    legalComments: "none",
    metafile: true,
    write: false,
    banner: { js: REQUIRE },
    plugins: [trims(root), pureSchemas],
    logLevel: "warning",
  });
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await mkdir(maps, { recursive: true });
  let sizeBytes = 0;
  for (const output of outputFiles) {
    if (output.path.endsWith(".map")) {
      await writeFile(join(maps, `${entry.name}.mjs.map`), output.contents);
    } else {
      sizeBytes = output.contents.length;
      await writeFile(file, output.contents);
    }
  }
  return { name: entry.name, file, sizeBytes, metafile };
}
