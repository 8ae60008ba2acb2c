import { CfnOutput, type Stack } from "aws-cdk-lib";
import {
  ApiMapping,
  DomainName,
  type HttpApi,
  type HttpStage,
  SecurityPolicy,
} from "aws-cdk-lib/aws-apigatewayv2";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { ARecord, HostedZone, RecordTarget } from "aws-cdk-lib/aws-route53";
import { ApiGatewayv2DomainProperties } from "aws-cdk-lib/aws-route53-targets";
import type { Config } from "../config/schema.ts";

interface DomainOptions {
  readonly api: HttpApi;
  readonly stage: HttpStage;
  readonly config: Config;
}

/** Serves the API under the configured name; gives its origin, `undefined` when none is configured. */
export function addDomain(stack: Stack, { api, stage, config }: DomainOptions): string | undefined {
  if (config.domain === undefined) return undefined;
  const { name, certificateArn, hostedZone } = config.domain;
  const domain = new DomainName(stack, "Domain", {
    domainName: name,
    certificate: Certificate.fromCertificateArn(stack, "Certificate", certificateArn),
    securityPolicy: SecurityPolicy.TLS_1_2,
  });
  new ApiMapping(stack, "Mapping", { api, domainName: domain, stage });
  if (hostedZone !== undefined) {
    const zone = HostedZone.fromHostedZoneAttributes(stack, "Zone", {
      hostedZoneId: hostedZone.id,
      zoneName: hostedZone.name,
    });
    const target = new ApiGatewayv2DomainProperties(
      domain.regionalDomainName,
      domain.regionalHostedZoneId,
    );
    new ARecord(stack, "Record", {
      zone,
      recordName: `${name}.`,
      target: RecordTarget.fromAlias(target),
    });
  }
  new CfnOutput(stack, "ApiDomainTarget", { value: domain.regionalDomainName });
  return `https://${name}`;
}
