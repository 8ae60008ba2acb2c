// Plain JavaScript, because `npm start` may run it with any Node since 20.
/* oxlint-disable typescript/no-unsafe-call, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument */
// Writes dist/main.mjs: the command in few files, of JavaScript. `npm start` runs it, because a server that
// reads a hundred TypeScript files keeps the compiler that took their types off in memory: 40 MB.
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const root = fileURLToPath(new URL("../", import.meta.url));
const outdir = fileURLToPath(new URL("../dist/", import.meta.url));
const { trims } = await importTypeScript(new URL("../infra/bundles/trims.ts", import.meta.url));
await mkdir(outdir, { recursive: true });
const before = await timesOf(outdir);
await build({
  entryPoints: { main: fileURLToPath(new URL("./main.ts", import.meta.url)) },
  outdir,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  // V8 keeps the text of what it runs, twice as large if a comment holds one letter beyond
  // Latin-1: 6 MB, of which 1 MB is left. `node --enable-source-maps` shows names and lines as they were.
  minify: true,
  legalComments: "none",
  platform: "node",
  // As in infra/bundles: packages that have both are tree-shaken as ES modules only.
  mainFields: ["module", "main"],
  target: "node22",
  format: "esm",
  sourcemap: true,
  plugins: [trims(root)],
  // They load files of their own at run time.
  external: ["@aws-sdk/*", "lmdb", "pino", "pino-pretty"],
  // What packages written in CommonJS expect to find.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
  logLevel: "warning",
});

// A server that runs loads a protocol's code with its first request: what the build before wrote has to stay, and what
// the builds of the last day wrote, for whoever builds often.
const lastBuild = before.get("main.mjs") ?? 0;
for (const [name, time] of before) {
  if (time < Math.min(lastBuild - MINUTE_MS, Date.now() - DAY_MS)) await rm(join(outdir, name));
}

/** When each file of a folder was written, by its name. */
async function timesOf(folder) {
  const names = await readdir(folder);
  const times = names.map(async (name) => [name, (await stat(join(folder, name))).mtimeMs]);
  return new Map(await Promise.all(times));
}

/** For a Node that does not take types off: esbuild does, of a module that imports nothing but types. */
async function importTypeScript(url) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(url)],
    format: "esm",
    write: false,
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}
