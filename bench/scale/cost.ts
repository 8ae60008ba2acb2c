import type { Flow, ModelResult } from "./model.ts";
import { PRICES, SECONDS_A_MONTH } from "./prices.ts";

/** A line of a bill, in USD a month. */
export interface CostLine {
  readonly what: string;
  readonly usd: number;
}

/** Of a request's access log line and metrics in CloudWatch, in bytes: measured on a line of the log, with EMF. */
const LOG_BYTES = 1500;

/** What one flow costs by itself, for a million requests. */
export function costPerMillion(flow: Flow, requestsPerSecond: number): readonly CostLine[] {
  const perRequest = 1 / requestsPerSecond;
  return flowLines(flow, requestsPerSecond, perRequest * 1e6);
}

/** The month of a whole registry. */
export function costPerMonth({
  load,
  pulls,
  publishes,
  tableGigabytes,
}: ModelResult): readonly CostLine[] {
  const { dynamo, s3, transfer } = PRICES;
  const fileGigabytes = (load.versions * load.fileBytes) / 1e9;
  const outGigabytes =
    (load.pullsPerSecond * (1 - load.metadataShare) * load.fileBytes * SECONDS_A_MONTH) / 1e9;
  const flows = [
    ...flowLines(pulls, load.pullsPerSecond, SECONDS_A_MONTH),
    ...flowLines(publishes, load.publishesPerSecond, SECONDS_A_MONTH),
  ];
  return merged([
    ...flows,
    {
      what: "DynamoDB storage and recovery",
      usd: tableGigabytes * (dynamo.perGigabyteMonth + dynamo.perGigabyteMonthOfRecovery),
    },
    { what: "S3 storage", usd: fileGigabytes * s3.perGigabyteMonth },
    {
      what: "S3 downloads (GET)",
      usd:
        ((load.pullsPerSecond * (1 - load.metadataShare) * SECONDS_A_MONTH) / 1e6) *
        s3.perMillionGets,
    },
    { what: "Transfer of files to the internet", usd: outGigabytes * transfer.perGigabyteOut },
  ]);
}

function flowLines(flow: Flow, requestsPerSecond: number, seconds: number): readonly CostLine[] {
  const { dynamo, s3, lambda, api, logs, kms } = PRICES;
  const millions = (perSecond: number): number => (perSecond * seconds) / 1e6;
  const signs = flow.perSecond.write > 0 ? requestsPerSecond : 0;
  return [
    { what: "API Gateway", usd: millions(requestsPerSecond) * api.perMillionRequests },
    {
      what: "Lambda",
      usd:
        millions(requestsPerSecond) * lambda.perMillionRequests +
        flow.gigabyteSecondsPerSecond * seconds * lambda.perGigabyteSecond,
    },
    { what: "DynamoDB reads", usd: millions(flow.perSecond.read) * dynamo.perMillionReads },
    { what: "DynamoDB writes", usd: millions(flow.perSecond.write) * dynamo.perMillionWrites },
    {
      what: "S3 requests of functions",
      usd:
        millions(flow.s3GetsPerSecond) * s3.perMillionGets +
        millions(flow.s3PutsPerSecond) * s3.perMillionPuts,
    },
    {
      what: "CloudWatch logs",
      usd: ((requestsPerSecond * seconds * LOG_BYTES) / 1e9) * logs.perGigabyte,
    },
    { what: "KMS signatures", usd: millions(signs) * kms.perMillionAsymmetric },
  ];
}

function merged(lines: readonly CostLine[]): readonly CostLine[] {
  const sums = new Map<string, number>();
  for (const { what, usd } of lines) sums.set(what, (sums.get(what) ?? 0) + usd);
  return Array.from(sums, ([what, usd]) => ({ what, usd }));
}
