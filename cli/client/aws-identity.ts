import * as z from "zod";
import { type AwsCredentials } from "../../shared/adapters/aws/sign-request.ts";
import { proveIdentity } from "../../shared/adapters/sts/identity-request.ts";
import { findAwsCredentials } from "../aws-credentials.ts";
import { ApiClient } from "./api-client.ts";
import { usageError } from "./failures.ts";

const howSchema = z.object({ region: z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/) });
const tokenSchema = z.object({ token: z.string(), expiresAt: z.string() });

/** A token in exchange for the identity of the IAM role whose credentials are at hand, and when it ends. */
export type AwsToken = z.infer<typeof tokenSchema>;

/**
 * Proves to the server at `url` which IAM role this is. The server learns nothing that it could use elsewhere: the
 * proof is a signed question to AWS, for this server's name and for five minutes.
 *
 * @throws {CliError} when there are no credentials, or the server does not know the role.
 */
export async function exchangeAwsIdentity(url: string): Promise<AwsToken> {
  const api = new ApiClient({ url });
  const { region } = await api.send({ path: "/identity/aws", schema: howSchema });
  const proof = proveIdentity(await findCredentials(region), {
    region,
    deployment: new URL(url).host,
    nowMs: Date.now(),
  });
  return api.send({
    method: "POST",
    path: "/identity/aws",
    body: proof,
    schema: tokenSchema,
    // A proof is good once.
    attempts: 1,
  });
}

async function findCredentials(region: string): Promise<AwsCredentials> {
  try {
    return await findAwsCredentials(region);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw usageError(
      `There are no credentials of AWS here: ${why}`,
      "Run this where an IAM role is at work, or with AWS_PROFILE set, as for the AWS CLI.",
    );
  }
}
