import type { AwsCredentials } from "../shared/adapters/aws/sign-request.ts";

/**
 * Credentials where the AWS SDK and its CLI look: environment, profiles, web identity, container and instance metadata.
 *
 * @throws {Error} when there are none.
 */
export async function findAwsCredentials(region: string): Promise<AwsCredentials> {
  // Loaded only here: it takes longer to load than most commands to run.
  const { STSClient } = await import("@aws-sdk/client-sts");
  return new STSClient({ region }).config.credentials();
}
