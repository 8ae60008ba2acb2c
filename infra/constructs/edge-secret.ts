import { RemovalPolicy, Validations } from "aws-cdk-lib";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import type { Config } from "../config/schema.ts";

/**
 * What CloudFront sends with every request to the API, so that the functions believe what it says of the client and
 * nobody else: CloudFront cannot sign its requests to API Gateway. CloudFormation puts it into both at deployment.
 */
export function createEdgeSecret(scope: Construct): Secret {
  const secret = new Secret(scope, "EdgeSecret", {
    description: "Shows the functions that a request came through CloudFront",
    generateSecretString: { passwordLength: 48, excludePunctuation: true },
    removalPolicy: RemovalPolicy.DESTROY,
  });
  Validations.of(secret).acknowledge({
    id: "AwsSolutions-SMG4",
    reason:
      "CloudFront and the functions learn it by a deployment only. Whoever knows it can forge the address of their own requests and nothing else; a new one is made by deploying without the edge and with it again.",
  });
  return secret;
}

/** What the functions behind the edge are told. With a web ACL, nobody may walk around it. */
export function edgeEnvironment(
  secret: Secret | undefined,
  { edge }: Config,
): Readonly<Record<string, string>> {
  if (secret === undefined) return {};
  return {
    ENTREPOT_EDGE_SECRET: secret.secretValue.unsafeUnwrap(),
    ...(edge?.waf === true ? { ENTREPOT_EDGE_ONLY: "true" } : {}),
  };
}
