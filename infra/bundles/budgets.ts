/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there. `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  api: 1_100_000,
  generic: 1_000_000,
  npm: 1_000_000,
  oci: 1_000_000,
  stream: 1_000_000,
  index: 1_000_000,
  webhooks: 1_000_000,
  maintenance: 1_000_000,
};
