import { randomBytes } from "node:crypto";
import * as z from "zod";
import { Aws } from "../../infra/commands/aws-call.ts";
import { type Endpoint, LOCAL_REGION, trust } from "../../localstack/endpoint.ts";
import type { LocalDeployment } from "../../localstack/state.ts";
import { dynamoClient } from "../../shared/adapters/dynamodb/dynamo-client.ts";
import { DynamoTable } from "../../shared/adapters/dynamodb/dynamo-table.ts";

const createdToken = z.object({ token: z.string() });

/** A registry in an account of an emulator, as its clients and its administrator see it. */
export class Deployment {
  /** Origin of the API, without a slash at the end. */
  readonly url: string;
  readonly adminToken: string;
  readonly endpoint: Endpoint;
  /** Variables with which a client trusts the store that downloads lead to. */
  readonly trust: Readonly<Record<string, string>>;
  readonly #outputs: Readonly<Record<string, string>>;

  constructor(endpoint: Endpoint, { url, token, outputs }: LocalDeployment) {
    this.endpoint = endpoint;
    this.url = url;
    this.adminToken = token;
    this.trust = trust(endpoint);
    this.#outputs = outputs;
  }

  /** An output of a stack. */
  output(name: string): string {
    const value = this.#outputs[name];
    if (value === undefined) throw new Error(`no stack has an output ${name}`);
    return value;
  }

  /** A request with the administrator's token; `path` from the origin on. Redirects are not followed. */
  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${this.adminToken}`);
    return fetch(`${this.url}${path}`, { redirect: "manual", ...init, headers });
  }

  /** @returns the slug of a new registry. */
  async createRegistry(
    ecosystem: string,
    visibility: "private" | "public" = "private",
  ): Promise<string> {
    const slug = `${ecosystem}-${randomBytes(5).toString("hex")}`;
    await this.#post("/api/v1/registries", { slug, ecosystem, kind: "source", visibility });
    return slug;
  }

  /** The text of a new token. */
  async createToken(scopes: readonly string[]): Promise<string> {
    const answer = await this.#post("/api/v1/tokens", { description: "a client", scopes });
    return createdToken.parse(answer).token;
  }

  /** The table itself, past the functions. */
  openTable(): DynamoTable {
    return new DynamoTable({ client: dynamoClient(), tableName: this.output("TableName") });
  }

  /** Runs a task of the maintenance function and gives its answer, also when that is an error. */
  runTask(task: string): Promise<unknown> {
    const path = `/2015-03-31/functions/${this.output("MaintenanceFunction")}/invocations`;
    return this.#aws("lambda", path, "application/json", { task });
  }

  /** A call of an AWS service that speaks JSON; `target` as in `X-Amz-Target`. @throws when it fails. */
  async callAws(service: string, target: string, body: unknown): Promise<unknown> {
    return this.#aws(service, "/", "application/x-amz-json-1.1", body, { "x-amz-target": target });
  }

  async #aws(
    service: string,
    path: string,
    contentType: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const aws = await Aws.open({ region: LOCAL_REGION });
    const call = { service, path, contentType, headers, body: JSON.stringify(body) };
    return JSON.parse(await aws.call(call));
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await this.request(path, init);
    if (response.status !== 201) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  }
}
