/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there: 20 to 30 KB above what `npm run bundle` prints.
 * `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  // Webhooks are 20 KB of routes, schemas and delivery; what reads every ecosystem's uploads is 100 KB.
  api: 1_270_000,
  generic: 995_000,
  maven: 1_075_000,
  npm: 1_025_000,
  oci: 1_010_000,
  pypi: 1_040_000,
  stream: 975_000,
  index: 975_000,
  webhooks: 975_000,
  maintenance: 975_000,
};
