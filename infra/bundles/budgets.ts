/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there: 20 to 30 KB above what `npm run bundle` prints.
 * `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  // Webhooks are 20 KB of routes, schemas and delivery; what reads every ecosystem's uploads is 100 KB.
  api: 1_300_000,
  generic: 1_005_000,
  maven: 1_085_000,
  npm: 1_035_000,
  oci: 1_040_000,
  pypi: 1_060_000,
  stream: 985_000,
  index: 985_000,
  webhooks: 985_000,
  maintenance: 985_000,
};
