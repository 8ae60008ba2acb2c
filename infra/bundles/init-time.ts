import { execFile } from "node:child_process";
import { promisify } from "node:util";

const RUNS = 5;

const run = promisify(execFile);

/** What every function's environment has; the names lead nowhere, and nothing is sent at the start. */
const ENVIRONMENT = {
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: "init",
  AWS_SECRET_ACCESS_KEY: "init",
  AWS_LAMBDA_FUNCTION_NAME: "init",
  ENTREPOT_TABLE: "init",
  ENTREPOT_BUCKET: "init",
  ENTREPOT_SIGNING_KEY: "init",
  ENTREPOT_MAC_KEY: "init",
  ENTREPOT_INDEX_QUEUE: "https://sqs.invalid/index",
  ENTREPOT_WEBHOOK_QUEUE: "https://sqs.invalid/webhooks",
};

const PROGRAM = `
  const startedAt = performance.now();
  await import(process.argv[1]);
  process.stdout.write(String(performance.now() - startedAt));
  process.exit();
`;

/** Milliseconds that a fresh Node takes to import a bundle: the part of a cold start that is ours. Median of five. */
export async function medianInitMs(file: string): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < RUNS; count++) {
    const { stdout } = await run(
      process.execPath,
      ["--input-type=module", "--eval", PROGRAM, file],
      { env: ENVIRONMENT },
    );
    times.push(Number(stdout));
  }
  return times.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
}
