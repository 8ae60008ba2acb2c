import { NO_OPTIONS, rightsOf } from "../access/matrix.ts";
import type { Config } from "../config/schema.ts";
import type { FunctionSpec } from "../functions.ts";
import type { StorageStack } from "../stacks/storage-stack.ts";

/**
 * The environment that `functions/lambda/environment.ts` reads. A key's id is there only for those who may use the
 * key.
 */
export function functionEnvironment(
  spec: FunctionSpec,
  config: Config,
  storage: StorageStack,
): Readonly<Record<string, string>> {
  const rights = rightsOf(spec, NO_OPTIONS);
  const may = (resource: string): boolean => rights.some((right) => right.resource === resource);
  const baseUrl = baseUrlOf(config);
  const lock = config.storage.objectLock;
  return {
    ENTREPOT_TABLE: storage.table.tableName,
    ENTREPOT_BUCKET: storage.bucket.bucketName,
    ...(may("signing-key") ? { ENTREPOT_SIGNING_KEY: storage.signingKey.keyId } : {}),
    ...(may("mac-key") ? { ENTREPOT_MAC_KEY: storage.macKey.keyId } : {}),
    ...(baseUrl === undefined ? {} : { ENTREPOT_BASE_URL: baseUrl }),
    ...(config.edge === undefined ? {} : { ENTREPOT_EDGE: String(config.edge.ticketGeneration) }),
    ...(lock === undefined || !may("blobs")
      ? {}
      : { ENTREPOT_OBJECT_LOCK: `${lock.mode}:${lock.days}` }),
    ENTREPOT_RATE_LIMIT: String(config.requestsPerMinute),
    POWERTOOLS_SERVICE_NAME: spec.name,
    POWERTOOLS_METRICS_NAMESPACE: "Entrepot",
    POWERTOOLS_LOG_LEVEL: "INFO",
    POWERTOOLS_TRACE_ENABLED: String(config.tracing),
  };
}

/** The origin for links in answers, where the configuration fixes it; otherwise each client's own is used. */
export function baseUrlOf(config: Config): string | undefined {
  const domain = config.edge === undefined ? config.domain : config.edge.domain;
  return domain === undefined ? undefined : `https://${domain.name}`;
}
