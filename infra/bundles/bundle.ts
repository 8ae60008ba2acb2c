import { join } from "node:path";
import { BUNDLE_BUDGETS_BYTES } from "./budgets.ts";
import { type Bundle, buildBundles } from "./build-bundles.ts";
import { findEntryPoints } from "./entry-points.ts";
import { largestPackages } from "./contents.ts";
import { medianInitMs } from "./init-time.ts";

/**
 * `npm run bundle`: every function to `.build/functions/<name>`, with its size against its budget. `--init` measures how
 * long each takes to start; `--contents` says what is in it. Exits with 1 when one is over its budget.
 */
const root = join(import.meta.dirname, "..", "..");
const showsInit = process.argv.includes("--init");
const showsContents = process.argv.includes("--contents");

let overBudget = 0;
for (const bundle of await buildBundles(root, findEntryPoints(root))) {
  const budget = BUNDLE_BUDGETS_BYTES[bundle.name];
  if (budget === undefined || bundle.sizeBytes > budget) overBudget += 1;
  process.stdout.write(`${await lineOf(bundle, budget)}\n`);
}
if (overBudget > 0) {
  process.stderr.write(
    `${overBudget} of the bundles are over their budgets (infra/bundles/budgets.ts); --contents says what is in them.\n`,
  );
  process.exitCode = 1;
}

async function lineOf(bundle: Bundle, budget: number | undefined): Promise<string> {
  const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000)} KB`;
  const parts = [
    bundle.name.padEnd(12),
    kilobytes(bundle.sizeBytes).padStart(8),
    budget === undefined ? "no budget!" : `of ${kilobytes(budget)}`,
  ];
  if (showsInit) parts.push(`starts in ${(await medianInitMs(bundle.file)).toFixed(0)} ms`);
  const contents = showsContents
    ? largestPackages(bundle.inputs).map(
        ({ name, bytes }) => `\n    ${kilobytes(bytes).padStart(7)} ${name}`,
      )
    : [];
  return parts.join("  ") + contents.join("");
}
