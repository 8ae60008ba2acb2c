import { CfnOutput, Lazy, Stack, type StackProps } from "aws-cdk-lib";
import type { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import type { IRole } from "aws-cdk-lib/aws-iam";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { RoleGrants } from "../access/role-grants.ts";
import type { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { Config } from "../config/schema.ts";
import { addDomain } from "../constructs/api-domain.ts";
import { createEdgeSecret, edgeEnvironment } from "../constructs/edge-secret.ts";
import { createApi } from "../constructs/http-api.ts";
import { RegistryFunction } from "../constructs/registry-function.ts";
import { PROTOCOL_FUNCTIONS } from "../functions.ts";
import type { StorageStack } from "./storage-stack.ts";

/** What answers requests: one HTTP API, and one function for each protocol. */
export class ApiStack extends Stack {
  readonly api: HttpApi;
  /** By protocol. */
  readonly functions: ReadonlyMap<string, RegistryFunction>;
  /** Origin of the API, without a slash at the end. */
  readonly url: string;
  /** What tells the functions that a request came through CloudFront; only with the edge. */
  readonly edgeSecret: Secret | undefined;
  readonly #grants: RoleGrants;

  constructor(
    scope: Construct,
    id: string,
    props: StackProps & {
      readonly config: Config;
      readonly storage: StorageStack;
      /** Leads to the worker that fetches large files of upstreams. */
      readonly fetchQueue: IQueue;
    },
  ) {
    super(scope, id, props);
    const { config, storage, fetchQueue } = props;
    this.addStackDependency(storage);
    this.#grants = new RoleGrants(this, config.grants);
    this.edgeSecret = config.edge === undefined ? undefined : createEdgeSecret(this);
    const edge = edgeEnvironment(this.edgeSecret, config);
    const iamGrants = Lazy.string({ produce: () => this.#grants.render() });
    this.functions = new Map(
      PROTOCOL_FUNCTIONS.map((spec) => {
        const grants = spec.name === "api" ? { ENTREPOT_IAM_GRANTS: iamGrants } : {};
        const made = new RegistryFunction(this, spec.name, {
          spec,
          config,
          storage,
          queues: { fetchQueue: fetchQueue.queueArn },
          environment: { ...edge, ...grants, ENTREPOT_FETCH_QUEUE: fetchQueue.queueUrl },
        });
        return [spec.name, made];
      }),
    );
    const { api, stage } = createApi(this, {
      config,
      dataKey: storage.dataKey,
      functionOf: (name) => this.#functionOf(name).function,
    });
    this.api = api;
    this.url = addDomain(this, { api, stage, config }) ?? api.apiEndpoint;
    new CfnOutput(this, "Url", { value: this.url });
  }

  /**
   * Lets an IAM role read from registries: with `entrepot login --aws` it exchanges its identity for a token that
   * does so for an hour. The role itself needs no permission.
   *
   * @param registries Slugs, or patterns with `*`.
   */
  grantPull(role: IRole, registries: readonly string[]): void {
    this.#grants.add(role, "pull", registries);
  }

  /** As {@link grantPull}, and to publish as well. */
  grantPublish(role: IRole, registries: readonly string[]): void {
    this.#grants.add(role, "publish", registries);
  }

  #functionOf(name: string): RegistryFunction {
    const found = this.functions.get(name);
    if (found === undefined) throw new Error(`There is no function "${name}".`);
    return found;
  }
}
