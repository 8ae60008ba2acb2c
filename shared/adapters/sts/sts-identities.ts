import { awsHost } from "../aws/aws-host.ts";
import {
  type Identities,
  IdentitiesUnavailableError,
  type IdentityProof,
  type RoleIdentity,
} from "../../ports/identities.ts";
import { DEPLOYMENT_HEADER, IDENTITY_BODY, IDENTITY_HEADERS } from "./identity-request.ts";

/** A proof is good for so long, either way, since clocks differ; STS itself takes 15 minutes. */
const MAX_AGE_MS = 5 * 60_000;
const TIMEOUT_MS = 5000;
/** The answer has a few hundred bytes. */
const MAX_ANSWER_CHARACTERS = 16_384;

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[A-Z0-9]{16,128}\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$/;
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const SECURITY_TOKEN = /^[\x21-\x7e]{1,8192}$/;
const ROLE_ARN =
  /<Arn>arn:aws[a-z-]*:sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\/([\w+=,.@-]{1,64})<\/Arn>/;

export interface StsIdentitiesOptions {
  readonly region: string;
  /** Where proofs are sent, an origin; absent: AWS' endpoint of the region. The host that is signed is AWS' anyway. */
  readonly endpoint?: string;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/**
 * {@link Identities} of STS. What is sent is ours but for signature, time and security token: host, path and body
 * cannot be chosen by a caller, so that nothing else can be asked of AWS, and nobody else than AWS be asked.
 */
export class StsIdentities implements Identities {
  readonly region: string;
  readonly #endpoint: string;
  readonly #now: () => number;

  constructor(options: StsIdentitiesOptions) {
    this.region = options.region;
    this.#endpoint = options.endpoint ?? `https://${awsHost("sts", options.region)}`;
    this.#now = options.now;
  }

  async identify(proof: IdentityProof, deployment: string): Promise<RoleIdentity | undefined> {
    if (!this.#isPlausible(proof)) return undefined;
    const answer = await this.#ask(proof, deployment);
    const [, account, role, session] = ROLE_ARN.exec(answer ?? "") ?? [];
    if (account === undefined || role === undefined || session === undefined) return undefined;
    return { account, role, session };
  }

  #isPlausible({ authorization, date, securityToken }: IdentityProof): boolean {
    const signedAtMs = timeOf(date);
    if (signedAtMs === undefined || Math.abs(this.#now() - signedAtMs) > MAX_AGE_MS) return false;
    const [, day, region, service, names] = AUTHORIZATION.exec(authorization) ?? [];
    // The deployment must be among what was signed, and nothing may be that we do not send.
    const expected = [
      ...Object.keys(IDENTITY_HEADERS),
      "host",
      "x-amz-date",
      ...(securityToken === undefined ? [] : ["x-amz-security-token"]),
      DEPLOYMENT_HEADER,
    ];
    return (
      day === date.slice(0, 8) &&
      region === this.region &&
      service === "sts" &&
      names === expected.join(";") &&
      (securityToken === undefined || SECURITY_TOKEN.test(securityToken))
    );
  }

  /** The answer's text; `undefined` when STS does not believe the proof. */
  async #ask(proof: IdentityProof, deployment: string): Promise<string | undefined> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#endpoint}/`, {
        method: "POST",
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          ...IDENTITY_HEADERS,
          "x-amz-date": proof.date,
          authorization: proof.authorization,
          [DEPLOYMENT_HEADER]: deployment,
          ...(proof.securityToken === undefined
            ? {}
            : { "x-amz-security-token": proof.securityToken }),
        },
        body: IDENTITY_BODY,
      });
      text = await response.text();
    } catch (error) {
      throw new IdentitiesUnavailableError("STS does not answer", { cause: error });
    }
    if (response.status >= 500 || response.status === 429) {
      throw new IdentitiesUnavailableError(`STS answers with status ${response.status}`);
    }
    return response.ok && text.length <= MAX_ANSWER_CHARACTERS ? text : undefined;
  }
}

function timeOf(date: string): number | undefined {
  const iso = date.replace(DATE, "$1-$2-$3T$4:$5:$6Z");
  const time = DATE.test(date) ? Date.parse(iso) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
