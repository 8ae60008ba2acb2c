import type { UpstreamAuth } from "../domain/upstream.ts";

export type AwsAuth = Extract<UpstreamAuth, { kind: "aws" }>;

/** A password of one of AWS' package registries. */
export interface AwsRegistryToken {
  /** To be sent with Basic authentication. */
  readonly username: string;
  readonly password: string;
  /** Unix milliseconds. */
  readonly expiresAtMs: number;
}

/** Makes tokens for CodeArtifact and ECR, by this deployment's own identity or a role that it takes. */
export interface AwsRegistryTokens {
  /** @throws {AwsRegistryTokensError} when none can be had. */
  make(auth: AwsAuth): Promise<AwsRegistryToken>;
}

/** AWS gave no token. The message is a clause without secrets, such as `sts answers AccessDenied`. */
export class AwsRegistryTokensError extends Error {
  override readonly name = "AwsRegistryTokensError";
}
