// Plain JavaScript, because `npm start` may run it with any Node since 20.
/* oxlint-disable typescript/no-unsafe-call */
// Writes dist/main.mjs: the command in few files, of JavaScript. `npm start` runs it, because a server that
// reads a hundred TypeScript files keeps the compiler that took their types off in memory: 40 MB.
import { rm } from "node:fs/promises";
import { build } from "esbuild";

const outdir = new URL("../dist/", import.meta.url).pathname;
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: { main: new URL("./main.ts", import.meta.url).pathname },
  outdir,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  platform: "node",
  // As in infra/bundles: packages that have both are tree-shaken as ES modules only.
  mainFields: ["module", "main"],
  target: "node22",
  format: "esm",
  sourcemap: true,
  // They load files of their own at run time.
  external: ["@aws-sdk/*", "lmdb", "pino", "pino-pretty"],
  // What packages written in CommonJS expect to find.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
