/**
 * Most bytes that each function's bundle may have, minified. Lambda loads and compiles all of it at a cold start, so
 * that a dependency that creeps in shows here before it shows there. `docs/benchmarks.md` has the measured times.
 */
export const BUNDLE_BUDGETS_BYTES: Readonly<Record<string, number>> = {
  api: 1_085_000,
  generic: 925_000,
  npm: 945_000,
  oci: 940_000,
  pypi: 960_000,
  stream: 905_000,
  index: 905_000,
  webhooks: 905_000,
  maintenance: 905_000,
};
