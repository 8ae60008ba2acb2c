import { awsHost } from "../aws/aws-host.ts";
import { type AwsCredentials, signRequest } from "../aws/sign-request.ts";
import type { IdentityProof } from "../../ports/identities.ts";

/**
 * Names the deployment that a proof is for. It is signed, so that a registry that gets a proof cannot use it at
 * another one.
 */
export const DEPLOYMENT_HEADER = "x-entrepot-deployment";

/** The one request that is ever sent: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
export const IDENTITY_BODY = "Action=GetCallerIdentity&Version=2011-06-15";

/** Headers of the request that do not change. */
export const IDENTITY_HEADERS = {
  "content-type": "application/x-www-form-urlencoded; charset=utf-8",
} as const;

/**
 * Signs a request of the caller's own identity, for the registry at `deployment` to send. It tells nothing but who
 * the caller is, and only to that registry, for some minutes.
 */
export function proveIdentity(
  credentials: AwsCredentials,
  options: { readonly region: string; readonly deployment: string; readonly nowMs: number },
): IdentityProof {
  const { region, deployment, nowMs } = options;
  const headers = signRequest(
    {
      method: "POST",
      url: new URL(`https://${awsHost("sts", region)}/`),
      headers: { ...IDENTITY_HEADERS, [DEPLOYMENT_HEADER]: deployment },
      body: IDENTITY_BODY,
      region,
      service: "sts",
      nowMs,
    },
    credentials,
  );
  const { sessionToken } = credentials;
  return {
    authorization: headers["authorization"] ?? "",
    date: headers["x-amz-date"] ?? "",
    ...(sessionToken === undefined ? {} : { securityToken: sessionToken }),
  };
}
