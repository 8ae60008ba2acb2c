/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there. `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  // Webhooks are 20 KB of routes, schemas and delivery.
  api: 1_080_000,
  generic: 900_000,
  maven: 960_000,
  npm: 920_000,
  oci: 920_000,
  pypi: 960_000,
  stream: 880_000,
  index: 880_000,
  webhooks: 880_000,
  maintenance: 880_000,
};
