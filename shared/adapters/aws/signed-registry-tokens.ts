import * as z from "zod";
import {
  type AwsAuth,
  type AwsRegistryToken,
  type AwsRegistryTokens,
  AwsRegistryTokensError,
} from "../../ports/aws-registry-tokens.ts";
import { awsHost } from "./aws-host.ts";
import { type AwsCredentials, signRequest } from "./sign-request.ts";

const TIMEOUT_MS = 5000;
/** Tokens have some kilobytes. */
const MAX_ANSWER_CHARACTERS = 65_536;
/** The shortest that there is: the role is taken for one call. */
const ROLE_SECONDS = 900;

export interface SignedRegistryTokensOptions {
  /** This deployment's own, as they are at the moment. @throws {Error} when there are none. */
  readonly credentials: (region: string) => Promise<AwsCredentials>;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Origin that is called instead of AWS. */
  readonly endpoint?: string;
}

interface Call {
  /** As signatures and endpoints name it. */
  readonly service: "codeartifact" | "ecr" | "sts";
  readonly region: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** {@link AwsRegistryTokens} of AWS' own services, in requests that are signed here: no SDK is needed for three calls. */
export class SignedRegistryTokens implements AwsRegistryTokens {
  readonly #options: SignedRegistryTokensOptions;

  constructor(options: SignedRegistryTokensOptions) {
    this.#options = options;
  }

  async make(auth: AwsAuth): Promise<AwsRegistryToken> {
    const own = await this.#ownCredentials(auth.region);
    const credentials = auth.roleArn === "" ? own : await this.#takeRole(auth, own);
    return auth.service === "ecr"
      ? this.#ecrToken(auth, credentials)
      : this.#codeArtifactToken(auth, credentials);
  }

  async #ownCredentials(region: string): Promise<AwsCredentials> {
    try {
      return await this.#options.credentials(region);
    } catch (error) {
      throw new AwsRegistryTokensError("this server has no credentials of AWS", { cause: error });
    }
  }

  /** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
  async #takeRole({ region, roleArn }: AwsAuth, own: AwsCredentials): Promise<AwsCredentials> {
    const body = new URLSearchParams({
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: "entrepot",
      DurationSeconds: String(ROLE_SECONDS),
    });
    const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    const call = { service: "sts", region, path: "/", headers, body: body.toString() } as const;
    const text = await this.#send(call, own);
    const [accessKeyId, secretAccessKey, sessionToken] = [
      "AccessKeyId",
      "SecretAccessKey",
      "SessionToken",
    ].map((name) => new RegExp(`<${name}>\\s*([A-Za-z0-9+/=]+)\\s*</${name}>`).exec(text)?.[1]);
    if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
      throw new AwsRegistryTokensError("sts answers without credentials");
    }
    return { accessKeyId, secretAccessKey, sessionToken };
  }

  /** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html */
  async #ecrToken({ region }: AwsAuth, credentials: AwsCredentials): Promise<AwsRegistryToken> {
    const text = await this.#send(
      {
        service: "ecr",
        region,
        path: "/",
        headers: {
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
        },
        body: "{}",
      },
      credentials,
    );
    const { authorizationData } = parse("ecr", text, ecrAnswer);
    const [{ authorizationToken, expiresAt }] = authorizationData;
    const [username = "", ...password] = Buffer.from(authorizationToken, "base64")
      .toString("utf8")
      .split(":");
    return { username, password: password.join(":"), expiresAtMs: expiresAt * 1000 };
  }

  /** https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetAuthorizationToken.html */
  async #codeArtifactToken(
    { region, domain, domainOwner }: AwsAuth,
    credentials: AwsCredentials,
  ): Promise<AwsRegistryToken> {
    const query = new URLSearchParams({
      domain,
      ...(domainOwner === "" ? {} : { "domain-owner": domainOwner }),
    });
    const path = `/v1/authorization-token?${query.toString()}`;
    const call = { service: "codeartifact", region, path, headers: {}, body: "" } as const;
    const text = await this.#send(call, credentials);
    const { authorizationToken, expiration } = parse("codeartifact", text, codeArtifactAnswer);
    return { username: "aws", password: authorizationToken, expiresAtMs: expiration * 1000 };
  }

  /** The answer's text. @throws {AwsRegistryTokensError} that holds nothing of what was sent. */
  async #send(call: Call, credentials: AwsCredentials): Promise<string> {
    const { service, region, body } = call;
    const host = awsHost(service === "ecr" ? "api.ecr" : service, region);
    const url = new URL(call.path, this.#options.endpoint ?? `https://${host}`);
    const nowMs = this.#options.now();
    const request = { method: "POST", url, headers: call.headers, body } as const;
    const headers = signRequest({ ...request, region, service, nowMs }, credentials);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method: "POST",
        headers,
        body,
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch (error) {
      throw new AwsRegistryTokensError(`${service} does not answer`, { cause: error });
    }
    if (response.ok && text.length <= MAX_ANSWER_CHARACTERS) return text;
    const [code] = EXCEPTION.exec(text.slice(0, MAX_ANSWER_CHARACTERS)) ?? [];
    throw new AwsRegistryTokensError(
      `${service} answers ${code ?? `with status ${response.status}`}`,
    );
  }
}

/** The name of what went wrong, in XML as in JSON; the words beside it may hold names of ours. */
const EXCEPTION = /\b(?:AccessDenied|ExpiredToken|[A-Z]\w{2,60}Exception)\w*/;

// Times are Unix seconds.
const ecrAnswer = z.object({
  authorizationData: z
    .tuple([z.object({ authorizationToken: z.string(), expiresAt: z.number() })])
    .rest(z.unknown()),
});
const codeArtifactAnswer = z.object({ authorizationToken: z.string(), expiration: z.number() });

function parse<T>(service: string, text: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new AwsRegistryTokensError(`${service} answers something else than a token`, {
      cause: error,
    });
  }
}
