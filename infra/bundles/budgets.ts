/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there: 20 to 30 KB above what `npm run bundle` prints.
 * `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  // Webhooks are 20 KB of routes, schemas and delivery; what reads every ecosystem's uploads and pages is 170 KB.
  api: 1_380_000,
  generic: 1_010_000,
  maven: 1_100_000,
  npm: 1_050_000,
  oci: 1_045_000,
  pypi: 1_135_000,
  stream: 995_000,
  index: 995_000,
  webhooks: 995_000,
  maintenance: 995_000,
};
