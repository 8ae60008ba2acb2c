/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there: 20 to 30 KB above what `npm run bundle` prints.
 * `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  // Webhooks are 20 KB of routes, schemas and delivery; what reads every ecosystem's uploads is 100 KB.
  api: 1_380_000,
  generic: 1_030_000,
  maven: 1_120_000,
  npm: 1_070_000,
  oci: 1_065_000,
  pypi: 1_140_000,
  stream: 990_000,
  index: 990_000,
  webhooks: 990_000,
  // The readers of all ecosystems.
  fetches: 1_135_000,
  maintenance: 990_000,
};
