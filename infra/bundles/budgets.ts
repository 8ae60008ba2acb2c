/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there: 20 to 30 KB above what `npm run bundle` prints.
 * `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  // Webhooks are 20 KB of routes, schemas and delivery; what reads every ecosystem's uploads and pages is 170 KB.
  api: 1_450_000,
  generic: 1_050_000,
  maven: 1_140_000,
  npm: 1_085_000,
  oci: 1_085_000,
  pypi: 1_170_000,
  stream: 1_010_000,
  index: 1_010_000,
  webhooks: 1_010_000,
  // The readers of all ecosystems.
  fetches: 1_155_000,
  maintenance: 1_010_000,
};
