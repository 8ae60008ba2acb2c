#!/usr/bin/env node
// Plain JavaScript, for any Node since 18 must read it: there are no types to judge it by.
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-return, typescript/restrict-template-expressions */
// Runs main.ts with a Node that takes TypeScript. On an older one it starts the Node that the package `node`
// brings along.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import nodeModule, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const main = new URL("./main.ts", import.meta.url);

/** Node strips types by itself from 22.18 and 23.6 on: https://nodejs.org/api/typescript.html */
function stripsTypes() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

/** Node does not strip types in packages under node_modules, where an installed `entrepot` is. */
function stripTypesUnderNodeModules() {
  const { emitWarning } = process;
  // It works as we need it; that its API may change is nothing for those who only run the command.
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).includes("stripTypeScriptTypes")) emitWarning(warning, ...rest);
  };
  nodeModule.registerHooks({
    load(url, context, next) {
      if (!url.startsWith("file:") || !url.endsWith(".ts")) return next(url, context);
      const source = nodeModule.stripTypeScriptTypes(readFileSync(fileURLToPath(url), "utf8"));
      return { format: "module", source, shortCircuit: true };
    },
  });
}

function bundledNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    return join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
  } catch {
    return undefined;
  }
}

function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  // Ctrl-C reaches both: the child says how to go on, and this process waits for it.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.once("error", (error) => fail(`${node} cannot be started: ${error.message}`));
  child.once("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(message) {
  process.stderr.write(`Error: ${message}\n`);
  process.exit(1);
}

if (stripsTypes()) {
  if (main.pathname.includes("/node_modules/")) stripTypesUnderNodeModules();
  await import(main.href);
} else {
  const node = bundledNode();
  if (node === undefined) fail(`entrepot needs Node 22.18 or newer; this is ${process.version}.`);
  runWith(node);
}
