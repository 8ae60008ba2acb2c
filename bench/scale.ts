import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PREFERRED_DOCUMENT_BYTES } from "../shared/adapters/dynamodb/schema.ts";
import { number, table } from "./report.ts";
import { type CostLine, costPerMillion, costPerMonth } from "./scale/cost.ts";
import { idleCost } from "./scale/idle.ts";
import { measurePackages, type MeasuredPackage } from "./scale/measure.ts";
import { extrapolate, ISSUE_LOAD, type ModelResult } from "./scale/model.ts";
import { PRICES } from "./scale/prices.ts";

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html */
const PARTITION_LIMITS = { read: 3000, write: 1000 };
/** Versions of the packages that are sampled; packages with more are taken as the largest of them. */
const SIZES = [1, 10, 100, 300];

const { values } = parseArgs({
  options: { pulls: { type: "string" }, "rows-only": { type: "boolean", default: false } },
});
const load = { ...ISSUE_LOAD, pullsPerSecond: Number(values.pulls ?? ISSUE_LOAD.pullsPerSecond) };
const folder = await mkdtemp(join(tmpdir(), "entrepot-scale-"));
try {
  // `--rows-only` shows what documents in rows would cost, whatever their size.
  const maxRowDocumentBytes = values["rows-only"] ? 300 * 1024 : PREFERRED_DOCUMENT_BYTES;
  const measured = await measurePackages(folder, SIZES, { maxRowDocumentBytes });
  process.stdout.write(report(measured, extrapolate(load, measured)));
} finally {
  await rm(folder, { recursive: true, force: true });
}

function report(measured: readonly MeasuredPackage[], result: ModelResult): string {
  const { load, pulls, publishes, hottest, sharedPartitions } = result;
  return `${[
    `## Measured: one request, by the versions of its package (DynamoDB units, S3 requests, CPU of this machine)\n`,
    measuredTable(measured),
    `\n## Model: ${load.packages} packages, ${load.versions} versions, ${load.pullsPerSecond} pulls/s (${load.metadataShare * 100} % metadata), ${load.publishesPerSecond} publishes/s, Zipf ${load.zipf}\n`,
    table(
      ["", "reads/s", "writes/s", "S3 GET/s", "S3 PUT/s", "Lambda concurrency"],
      [
        ["pulls", pulls],
        ["publishes", publishes],
      ].map(([name, flow]) =>
        typeof name === "string" && typeof flow === "object"
          ? [
              name,
              number(flow.perSecond.read),
              number(flow.perSecond.write),
              number(flow.s3GetsPerSecond),
              number(flow.s3PutsPerSecond),
              number(flow.concurrency),
            ]
          : [],
      ),
    ),
    `\n## Partitions, of ${PARTITION_LIMITS.read} reads/s and ${PARTITION_LIMITS.write} writes/s each\n`,
    table(
      ["partition", "reads/s", "writes/s", ""],
      [[hottest.name, hottest.perSecond] as const, ...sharedPartitions].map(
        ([name, { read, write }]) => [
          name,
          number(read),
          number(write),
          read <= PARTITION_LIMITS.read && write <= PARTITION_LIMITS.write
            ? "fits"
            : "DOES NOT FIT",
        ],
      ),
    ),
    `\n## Cost in ${PRICES.region}, prices of ${PRICES.asOf}, no free tier\n`,
    costTable("a million pulls, USD", costPerMillion(pulls, load.pullsPerSecond)),
    "",
    costTable("a million publishes, USD", costPerMillion(publishes, load.publishesPerSecond)),
    "",
    costTable("a month of it all, USD", costPerMonth(result)),
    "",
    costTable("a month without a request, USD", idleCost()),
    `\nTable: ${number(result.tableGigabytes)} GB`,
  ].join("\n")}\n`;
}

function measuredTable(measured: readonly MeasuredPackage[]): string {
  const rows = measured.flatMap((size) =>
    (["metadata", "file", "publish"] as const).map((kind) => {
      const { units, packageUnits, blobs, cpuMs, answerBytes } = size[kind];
      return [
        String(size.versions),
        kind,
        number(units.read),
        number(units.write),
        `${number(packageUnits.read)} / ${number(packageUnits.write)}`,
        Object.entries(blobs)
          .map(([name, count]) => `${name} ${number(count)}`)
          .join(", ") || "-",
        number(cpuMs),
        number(answerBytes),
      ];
    }),
  );
  return table(
    [
      "versions",
      "request",
      "reads",
      "writes",
      "in its partition",
      "blobs",
      "CPU ms",
      "answer bytes",
    ],
    rows,
  );
}

function costTable(title: string, lines: readonly CostLine[]): string {
  const sum = lines.reduce((total, { usd }) => total + usd, 0);
  const rows = lines.filter(({ usd }) => usd > 0).map(({ what, usd }) => [what, usd.toFixed(2)]);
  return table([title, "USD"], [...rows, ["sum", sum.toFixed(2)]]);
}
