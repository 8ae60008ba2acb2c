/**
 * What AWS asks in us-east-1, in USD, without free tiers or discounts; other regions ask up to a third more.
 * From the price pages of each service as they were known in November 2026 (the pages are no input of this program:
 * look them up before relying on a figure). DynamoDB's are those since its cut of November 2024.
 */
export const PRICES = {
  asOf: "2026-11",
  region: "us-east-1",
  /** https://aws.amazon.com/dynamodb/pricing/on-demand/ (strong reads: two half-price units) */
  dynamo: {
    perMillionReads: 0.25,
    perMillionWrites: 0.625,
    perGigabyteMonth: 0.25,
    perGigabyteMonthOfRecovery: 0.2,
  },
  /** https://aws.amazon.com/s3/pricing/ */
  s3: {
    perMillionPuts: 5,
    perMillionGets: 0.4,
    perGigabyteMonth: 0.023,
  },
  /** https://aws.amazon.com/lambda/pricing/ (arm64) */
  lambda: { perMillionRequests: 0.2, perGigabyteSecond: 0.0000133334 },
  /** https://aws.amazon.com/api-gateway/pricing/ (HTTP API, first 300 million a month) */
  api: { perMillionRequests: 1 },
  /** https://aws.amazon.com/cloudwatch/pricing/ */
  logs: { perGigabyte: 0.5 },
  metrics: { perMetricMonth: 0.3, perAlarmMetricMonth: 0.1 },
  /** https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer (first 10 TB after 100 GB free) */
  transfer: { perGigabyteOut: 0.09 },
  /** https://aws.amazon.com/kms/pricing/ */
  kms: { perKeyMonth: 1, perMillionAsymmetric: 15 },
  /** https://aws.amazon.com/sqs/pricing/ */
  sqs: { perMillionRequests: 0.4 },
} as const;

export const SECONDS_A_MONTH = 730 * 3600;
