import type { App, Environment } from "aws-cdk-lib";
import type { Config } from "../config/schema.ts";
import { ApiStack } from "./api-stack.ts";
import { createOperations, type Operations } from "./operations.ts";
import { ReplicaStack } from "./replica-stack.ts";
import { StorageStack } from "./storage-stack.ts";
import { WorkersStack } from "./workers-stack.ts";

/** The stacks of a deployment, in the order in which they are deployed. */
export interface Stacks {
  readonly storage: StorageStack;
  readonly workers: WorkersStack;
  readonly api: ApiStack;
  /** What stands around them: edge, ingest, observability. */
  readonly operations: Operations;
}

/** Every stack that the options ask for. */
export function createStacks(app: App, config: Config): Stacks {
  const env = environmentOf(config);
  const props = { env, config, terminationProtection: false };
  const storage = new StorageStack(app, `${config.name}-storage`, {
    ...props,
    terminationProtection: config.storage.deletionProtection,
  });
  const { replicaRegion } = config.storage;
  if (replicaRegion !== undefined) {
    const replica = new ReplicaStack(app, `${config.name}-replica`, {
      ...props,
      region: replicaRegion,
      terminationProtection: config.storage.deletionProtection,
    });
    storage.addStackDependency(replica);
  }
  const workers = new WorkersStack(app, `${config.name}-workers`, { ...props, storage });
  const fetchQueue = workers.fetchQueue.queue;
  const api = new ApiStack(app, `${config.name}-api`, { ...props, storage, fetchQueue });
  const operations = createOperations(app, { config, env, storage, api, workers });
  return { storage, workers, api, operations };
}

/** The CDK's CLI says whose credentials it has; without either, templates fit any account and region. */
function environmentOf(config: Config): Environment {
  const account = config.account ?? process.env["CDK_DEFAULT_ACCOUNT"];
  const region = config.region ?? process.env["CDK_DEFAULT_REGION"];
  return {
    ...(account === undefined ? {} : { account }),
    ...(region === undefined ? {} : { region }),
  };
}
