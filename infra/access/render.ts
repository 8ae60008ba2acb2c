import { FUNCTIONS } from "../functions.ts";
import { type AccessOptions, type ResourceName, rightsOf } from "./matrix.ts";

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
  "index-queue": "index queue",
  "webhook-queue": "webhook queue",
  "fetch-queue": "fetch queue",
  "stream-failures": "stream's failures",
  "upstream-roles": "roles of `upstreams.assumeRoles`",
  "ecr-tokens": "ECR (only with `upstreams.ecr`)",
  "codeartifact-domains": "domains of `upstreams.codeArtifactDomains`",
  "codeartifact-bearers": "tokens for CodeArtifact (only with such domains)",
  logs: "its own log group",
  traces: "X-Ray",
};

/** A deployment with all of the optional parts. */
export const EVERY_OPTION: AccessOptions = {
  customerKey: true,
  tracing: true,
  objectLock: true,
  upstreamRoles: true,
  ecr: true,
  codeArtifact: true,
};

/** The matrix as the Markdown table that stands in `docs/security.md`: a row for each function and resource. */
export function renderMatrix(): string {
  const rows = FUNCTIONS.flatMap((spec) =>
    rightsOf(spec, EVERY_OPTION).map(
      ({ resource, actions }) =>
        `| ${spec.name} | ${TITLES[resource]} | ${actions.map((action) => `\`${action}\``).join(", ")} |`,
    ),
  );
  return ["| function | resource | actions |", "|---|---|---|", ...rows].join("\n");
}
