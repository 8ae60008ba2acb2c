import { STSClient } from "@aws-sdk/client-sts";
import { signRequest } from "../../shared/adapters/aws/sign-request.ts";
import type { Config } from "../config/schema.ts";
import { CommandError } from "./options.ts";

/** A call of a service for which the project has no client. */
export interface AwsCall {
  /** As in its host name. */
  readonly service: string;
  /** Encoded. */
  readonly path: string;
  readonly contentType: string;
  /** Further ones, lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

const TIMEOUT_MS = 60_000;

/** Calls AWS as whoever works at this terminal: environment, `AWS_PROFILE`, single sign-on, as for the AWS CLI. */
export class Aws {
  readonly region: string;
  readonly #client: STSClient;

  private constructor(region: string, client: STSClient) {
    this.region = region;
    this.#client = client;
  }

  /** In the region of the options, or else of the environment or profile. @throws {CommandError} without one. */
  static async open(config: Pick<Config, "region">): Promise<Aws> {
    const client = new STSClient(config.region === undefined ? {} : { region: config.region });
    try {
      return new Aws(await client.config.region(), client);
    } catch (error) {
      throw new CommandError(
        "No region is set. Set `region` in entrepot.config.ts, or AWS_REGION.",
        { cause: error },
      );
    }
  }

  /**
   * The answer's body. `AWS_ENDPOINT_URL` is called instead of AWS where it is set.
   *
   * @throws {CommandError} with what the service said.
   */
  async call({ service, path, contentType, headers: more, body }: AwsCall): Promise<string> {
    const suffix = this.region.startsWith("cn-") ? ".cn" : "";
    const endpoint =
      process.env["AWS_ENDPOINT_URL"] ?? `https://${service}.${this.region}.amazonaws.com${suffix}`;
    const url = new URL(path, endpoint);
    const { accessKeyId, secretAccessKey, sessionToken } = await this.#client.config.credentials();
    const headers = signRequest(
      {
        method: "POST",
        url,
        headers: { "content-type": contentType, ...more },
        body,
        region: this.region,
        service,
        nowMs: Date.now(),
      },
      { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    );
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { method: "POST", headers, body, signal });
    const text = await response.text();
    if (response.ok) return text;
    throw new CommandError(`${service} answered ${response.status}: ${text.slice(0, 1000)}`);
  }
}
