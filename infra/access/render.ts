import { FUNCTIONS } from "../functions.ts";
import { type ResourceName, rightsOf } from "./matrix.ts";

const TITLES: Readonly<Record<ResourceName, string>> = {
  table: "table",
  "table-index": "table's index",
  "table-stream": "table's stream",
  "any-stream": "every stream",
  bucket: "bucket",
  blobs: "`blobs/sha256/*`",
  staging: "`staging/*`",
  "signing-key": "signing key",
  "mac-key": "MAC key",
  "data-key": 'data key (only with `encryption: "customer"`)',
  "upstream-role": "upstream role (only with `upstreamRole`)",
  "index-queue": "index queue",
  "webhook-queue": "webhook queue",
  "stream-failures": "stream's failures",
  logs: "its own log group",
  traces: "X-Ray",
};

/** The matrix as the Markdown table that stands in `docs/security.md`: a row for each function and resource. */
export function renderMatrix(): string {
  const rows = FUNCTIONS.flatMap((spec) =>
    rightsOf(spec, { customerKey: true, tracing: true, objectLock: true, upstreamRole: true }).map(
      ({ resource, actions }) =>
        `| ${spec.name} | ${TITLES[resource]} | ${actions.map((action) => `\`${action}\``).join(", ")} |`,
    ),
  );
  return ["| function | resource | actions |", "|---|---|---|", ...rows].join("\n");
}
