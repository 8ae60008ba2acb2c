import { type DynamoSource, dynamoSource } from "../support/dynoxide.ts";
import { s3ProgramPath } from "../support/s3-server.ts";

/** What tests of deployed functions need besides this project; `undefined` when it is not there. */
export function deploymentNeeds(): DynamoSource | undefined {
  return s3ProgramPath() === undefined ? undefined : dynamoSource();
}

export const NEEDS = "versitygw and dynoxide";
