/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there. `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  api: 1_130_000,
  generic: 970_000,
  maven: 1_000_000,
  npm: 990_000,
  oci: 990_000,
  stream: 950_000,
  index: 950_000,
  webhooks: 950_000,
  maintenance: 950_000,
};
