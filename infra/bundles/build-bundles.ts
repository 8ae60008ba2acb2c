import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
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
  /** What went in, by the path of each module. */
  readonly inputs: Metafile["outputs"][string]["inputs"];
}

/** CommonJS packages ask for Node's own modules by `require`, which an ES module does not have. */
const REQUIRE =
  'import{createRequire as entrepotRequire}from"node:module";const require=entrepotRequire(import.meta.url);';

/**
 * Bundles functions to `.build/functions/<name>/index.mjs`, the whole of what is deployed, with their source maps apart
 * in `.build/maps`: a map is as large as the code, and Lambda would load it with every error. What other functions have
 * there stays.
 */
export async function buildBundles(
  root: string,
  entries: readonly EntryPoint[],
): Promise<readonly Bundle[]> {
  const folder = join(root, ".build", "functions");
  const maps = join(root, ".build", "maps");
  const { outputFiles, metafile } = await build({
    entryPoints: Object.fromEntries(entries.map(({ name, file }) => [`${name}/index`, file])),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
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
  await mkdir(maps, { recursive: true });
  const bundles: Bundle[] = [];
  for (const { path, contents } of outputFiles) {
    const name = basename(dirname(path));
    if (path.endsWith(".map")) {
      await writeFile(join(maps, `${name}.mjs.map`), contents);
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    // Another process may be reading the file that was there.
    await writeFile(`${path}.new`, contents);
    await rename(`${path}.new`, path);
    const inputs = metafile.outputs[relative(root, path)]?.inputs ?? {};
    bundles.push({ name, file: path, sizeBytes: contents.length, inputs });
  }
  return bundles;
}
