import {
  Annotations,
  CfnOutput,
  Duration,
  Fn,
  type SecretValue,
  Stack,
  type StackProps,
  Validations,
} from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Distribution,
  Function as EdgeFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HttpVersion,
  type IOrigin,
  KeyValueStore,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  PriceClass,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  Signing,
  ViewerProtocolPolicy,
} from "aws-cdk-lib/aws-cloudfront";
import { HttpOrigin, S3BucketOrigin, VpcOrigin } from "aws-cdk-lib/aws-cloudfront-origins";
import type { IApplicationLoadBalancer } from "aws-cdk-lib/aws-elasticloadbalancingv2";
import { ARecord, AaaaRecord, HostedZone, RecordTarget } from "aws-cdk-lib/aws-route53";
import { CloudFrontTarget } from "aws-cdk-lib/aws-route53-targets";
import { Bucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { EDGE_HEADER } from "../../functions/lambda/edge-origin.ts";
import type { EdgeConfig } from "../config/edge.ts";
import { bundleEdgeFunction } from "../edge/bundle.ts";
import { API_ORIGIN, INGEST_ORIGIN, UPLOAD_PATTERN, UPLOADS_ORIGIN } from "../edge/names.ts";

/** CloudFront's longest by default (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html). */
const INGEST_ANSWER = Duration.seconds(120);
/** API Gateway answers within 30 s, and says itself when it does not. */
const API_ANSWER = Duration.seconds(35);

export interface EdgeStackProps extends StackProps {
  readonly config: EdgeConfig;
  /** `https://<id>.execute-api.<region>.amazonaws.com`, or the API's own domain. */
  readonly apiUrl: string;
  /** Shows the API that a request came through here. */
  readonly secret: SecretValue;
  readonly bucketName: string;
  /** The KMS key from which the keys of upload tickets are derived; `npm run edge-keys` asks for it. */
  readonly macKeyArn: string;
  /** Where uploads of unknown length go. */
  readonly ingest?: IApplicationLoadBalancer;
  /** ARN of a web ACL of us-east-1. */
  readonly webAclArn?: string;
}

/** One host name for everything: the API, direct uploads into the bucket, and ingest where it is deployed. */
export class EdgeStack extends Stack {
  /** `https://<name>`, without a slash at the end. */
  readonly url: string;
  readonly distribution: Distribution;

  constructor(scope: Construct, id: string, props: EdgeStackProps) {
    super(scope, id, props);
    const { config } = props;
    const store = new KeyValueStore(this, "TicketKeys", {
      comment: "Keys of upload tickets, two generations; npm run edge-keys writes them",
    });
    const functions = this.#functions(props, store);
    const behavior = apiBehavior(props);
    const { domain } = config;
    this.distribution = new Distribution(this, "Distribution", {
      comment: "Entrepot",
      // Links in answers need the name that the client used, so every request passes the viewer request function.
      defaultBehavior: { ...behavior, functionAssociations: [functions.request] },
      additionalBehaviors: {
        [UPLOAD_PATTERN]: {
          ...behavior,
          functionAssociations: [functions.request, functions.response],
        },
      },
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PRICE_CLASSES[config.priceClass],
      ...(props.webAclArn === undefined ? {} : { webAclId: props.webAclArn }),
      ...(domain === undefined
        ? {}
        : {
            domainNames: [domain.name],
            minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
            certificate: Certificate.fromCertificateArn(this, "Certificate", domain.certificateArn),
          }),
    });
    this.#addOrigins(props);
    this.url = `https://${domain?.name ?? this.distribution.distributionDomainName}`;
    this.#addNames(config);
    this.#acknowledge();
    new CfnOutput(this, "EdgeUrl", { value: this.url });
    new CfnOutput(this, "EdgeDomainTarget", { value: this.distribution.distributionDomainName });
    new CfnOutput(this, "TicketKeyStoreArn", { value: store.keyValueStoreArn });
    new CfnOutput(this, "TicketMacKeyArn", { value: props.macKeyArn });
  }

  #functions({ config, ingest }: EdgeStackProps, keyValueStore: KeyValueStore) {
    const options = {
      hasIngest: ingest !== undefined,
      hasChecksumHeader: config.checkUploads === "upload",
    };
    const request = new EdgeFunction(this, "ViewerRequest", {
      code: FunctionCode.fromInline(bundleEdgeFunction("viewer-request", options)),
      runtime: FunctionRuntime.JS_2_0,
      keyValueStore,
    });
    const response = new EdgeFunction(this, "ViewerResponse", {
      code: FunctionCode.fromInline(bundleEdgeFunction("viewer-response", options)),
      runtime: FunctionRuntime.JS_2_0,
    });
    return {
      request: { function: request, eventType: FunctionEventType.VIEWER_REQUEST },
      response: { function: response, eventType: FunctionEventType.VIEWER_RESPONSE },
    };
  }

  /** Origins that no path leads to: the viewer request function chooses them by their ids. */
  #addOrigins({ bucketName, ingest }: EdgeStackProps): void {
    const bucket = Bucket.fromBucketName(this, "Bucket", bucketName);
    const access = new S3OriginAccessControl(this, "UploadAccess", {
      signing: Signing.SIGV4_ALWAYS,
    });
    const origins: IOrigin[] = [
      S3BucketOrigin.withOriginAccessControl(bucket, {
        originId: UPLOADS_ORIGIN,
        originAccessControl: access,
        originAccessLevels: [],
      }),
    ];
    if (ingest !== undefined) {
      origins.push(
        VpcOrigin.withApplicationLoadBalancer(ingest, {
          originId: INGEST_ORIGIN,
          protocolPolicy: OriginProtocolPolicy.HTTP_ONLY,
          readTimeout: INGEST_ANSWER,
        }),
      );
    }
    // A distribution knows only origins of behaviors, and these paths are never asked for.
    for (const [position, origin] of origins.entries()) {
      this.distribution.addBehavior(`/_entrepot-origin-${position}`, origin, {
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      });
    }
  }

  #addNames({ domain }: EdgeConfig): void {
    if (domain?.hostedZone === undefined) return;
    const { id, name } = domain.hostedZone;
    const attributes = { hostedZoneId: id, zoneName: name };
    const zone = HostedZone.fromHostedZoneAttributes(this, "Zone", attributes);
    const target = RecordTarget.fromAlias(new CloudFrontTarget(this.distribution));
    new ARecord(this, "Address", { zone, recordName: domain.name, target });
    new AaaaRecord(this, "Address6", { zone, recordName: domain.name, target });
  }

  #acknowledge(): void {
    Annotations.of(this.distribution).acknowledgeWarning(
      "@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac",
      "infra/edge/bucket-access.ts puts it into the bucket's own stack.",
    );
    Validations.of(this.distribution).acknowledge(
      {
        id: "AwsSolutions-CFR1",
        reason: "Whom a registry serves is decided by its tokens, not by country.",
      },
      {
        id: "AwsSolutions-CFR2",
        reason: "A web ACL costs from 5 USD a month and is an option: edge.waf.",
      },
      {
        id: "AwsSolutions-CFR3",
        reason:
          "Every request that passes is in the API's access log or ingest's; uploads into the bucket are known by the manifest that names them. CloudFront's own logs would be a third copy.",
      },
      {
        id: "AwsSolutions-CFR4",
        reason:
          "TLS 1.2 is the least with a certificate of one's own; CloudFront fixes what its own name, *.cloudfront.net, takes.",
      },
      {
        id: "AwsSolutions-CFR5",
        reason:
          "The load balancer of ingest is reached inside AWS, over a VPC origin, without a name to certify.",
      },
    );
  }
}

function apiBehavior({ apiUrl, secret }: EdgeStackProps): BehaviorOptions {
  return {
    origin: new HttpOrigin(Fn.select(2, Fn.split("/", apiUrl)), {
      originId: API_ORIGIN,
      protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
      readTimeout: API_ANSWER,
      customHeaders: { [EDGE_HEADER]: secret.unsafeUnwrap() },
    }),
    allowedMethods: AllowedMethods.ALLOW_ALL,
    viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
    // Answers depend on who asks; what may be cached, clients cache themselves.
    cachePolicy: CachePolicy.CACHING_DISABLED,
    originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
    // Packages are compressed already, and documents by us.
    compress: false,
  };
}

const PRICE_CLASSES = {
  "100": PriceClass.PRICE_CLASS_100,
  "200": PriceClass.PRICE_CLASS_200,
  all: PriceClass.PRICE_CLASS_ALL,
} as const;
