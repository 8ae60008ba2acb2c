import { PROTOCOLS } from "../functions/protocols.ts";

/** A function behind the HTTP API: one wire protocol. */
export interface ProtocolFunction {
  readonly kind: "protocol";
  /** As in `PROTOCOLS`; also the name of its bundle. */
  readonly name: string;
  /** First path segments, without a slash at the end. */
  readonly prefix: string;
  /** As in `PROTOCOLS`. */
  readonly paths: readonly string[];
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
}

/** A function of the background plane. */
export interface WorkerFunction {
  readonly kind: "worker";
  /** Also the name of its bundle. */
  readonly name: WorkerName;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
}

export type WorkerName = "stream" | "index" | "webhooks" | "fetches" | "maintenance";

/** Everything that runs as a Lambda function. */
export type FunctionSpec = ProtocolFunction | WorkerFunction;

/**
 * Below the 30 seconds after which an HTTP API gives up on its integration, so that the function's own answer
 * arrives (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html).
 */
const PROTOCOL_TIMEOUT_SECONDS = 29;

/** A little more than half a CPU: Lambda gives CPU by memory, one whole at 1,769 MB. */
const PROTOCOL_MEMORY_MB = 1024;

/** The protocols of the one table in `functions/protocols.ts`: a line there is a function here. */
export const PROTOCOL_FUNCTIONS: readonly ProtocolFunction[] = PROTOCOLS.map(
  ({ name, prefix, paths = [] }) => ({
    kind: "protocol",
    name,
    prefix,
    paths,
    memoryMb: PROTOCOL_MEMORY_MB,
    timeoutSeconds: PROTOCOL_TIMEOUT_SECONDS,
  }),
);

/** What streams, queues and schedules start. */
export const WORKER_FUNCTIONS: readonly WorkerFunction[] = [
  { kind: "worker", name: "stream", memoryMb: 512, timeoutSeconds: 60 },
  { kind: "worker", name: "index", memoryMb: 1024, timeoutSeconds: 120 },
  { kind: "worker", name: "webhooks", memoryMb: 512, timeoutSeconds: 60 },
  { kind: "worker", name: "fetches", memoryMb: 1024, timeoutSeconds: 900 },
  { kind: "worker", name: "maintenance", memoryMb: 1024, timeoutSeconds: 900 },
];

/** Every function, protocols first. */
export const FUNCTIONS: readonly FunctionSpec[] = [...PROTOCOL_FUNCTIONS, ...WORKER_FUNCTIONS];

/** Where `npm run bundle` writes a folder with `index.mjs` for every function, from the project's root. */
export const BUNDLES_FOLDER = ".build/functions";
