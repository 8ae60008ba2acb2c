/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there: 20 to 30 KB above what `npm run bundle` prints.
 * `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  // Webhooks are 20 KB of routes, schemas and delivery; what reads every ecosystem's uploads is 100 KB.
  api: 1_200_000,
  generic: 925_000,
  maven: 1_005_000,
  npm: 960_000,
  oci: 945_000,
  pypi: 970_000,
  stream: 905_000,
  index: 905_000,
  webhooks: 905_000,
  maintenance: 905_000,
};
