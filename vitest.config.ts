import { defineConfig } from "vitest/config";

const project = (name: string, timeoutMilliseconds: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMilliseconds,
    hookTimeout: timeoutMilliseconds,
    pool: "forks" as const,
  },
});

// Each kind of tests has its own folder; docs/testing.md says what belongs where.
export default defineConfig({
  test: {
    projects: [
      project("unit", 20_000),
      project("contract", 120_000),
      project("protocol", 60_000),
      project("clients", 300_000),
      project("lambda", 120_000),
      project("infra", 120_000),
      project("deployment", 180_000),
    ],
  },
});
