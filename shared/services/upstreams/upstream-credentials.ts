import { LRUCache } from "lru-cache";
import { UpstreamFailedError } from "../../errors.ts";
import type { Upstream } from "../../domain/upstream.ts";
import {
  type AwsAuth,
  type AwsRegistryToken,
  type AwsRegistryTokens,
  AwsRegistryTokensError,
} from "../../ports/aws-registry-tokens.ts";
import type { Stores } from "../stores.ts";
import { openSealedText, SealedTextError } from "./sealed-text.ts";
import { secretPlace } from "./upstreams.ts";

type Headers = Readonly<Record<string, string>>;

/** Another token is made so long before one expires. */
const EARLY_MS = 5 * 60_000;

/** What we prove to upstreams with who we are. */
export class UpstreamCredentials {
  readonly #stores: Pick<Stores, "keys" | "now">;
  readonly #aws: AwsRegistryTokens | undefined;
  /** By what they were made for; promises, so that many requests at once make one. */
  readonly #tokens = new LRUCache<string, Promise<AwsRegistryToken>>({ max: 1_000 });

  /** `aws`: absent where nothing of AWS can be asked. */
  constructor(stores: Pick<Stores, "keys" | "now">, aws: AwsRegistryTokens | undefined) {
    this.#stores = stores;
    this.#aws = aws;
  }

  /**
   * Headers for the upstream's own origin, with names in lower case; none without authentication.
   *
   * @throws {UpstreamFailedError} when there are none to be had: a copy serves as if the upstream were down.
   */
  async of(upstream: Upstream): Promise<Headers> {
    const { auth } = upstream;
    switch (auth.kind) {
      case "none":
        return {};
      case "basic":
        return basic(auth.username, await this.#secret(upstream));
      case "bearer":
        return bearer(await this.#secret(upstream));
      case "header":
        return { [auth.name.toLowerCase()]: await this.#secret(upstream) };
      case "aws": {
        const { username, password } = await this.#token(upstream, auth);
        // What npm sends to CodeArtifact: https://docs.aws.amazon.com/codeartifact/latest/ug/npm-auth.html
        return upstream.ecosystem === "npm" ? bearer(password) : basic(username, password);
      }
    }
    throw new Error(`unknown kind ${JSON.stringify(auth satisfies never)}`);
  }

  async #secret(upstream: Upstream): Promise<string> {
    try {
      return await openSealedText(this.#stores.keys, secretPlace(upstream), upstream.sealedSecret);
    } catch (error) {
      if (!(error instanceof SealedTextError)) throw error;
      throw new UpstreamFailedError(
        `The secret of the upstream "${upstream.key}" cannot be read: ${error.message}. Set it again.`,
      );
    }
  }

  async #token(upstream: Upstream, auth: AwsAuth): Promise<AwsRegistryToken> {
    const name = JSON.stringify(auth);
    const known = this.#tokens.get(name);
    if (known !== undefined) {
      const token = await known.catch(() => undefined);
      if (token !== undefined && token.expiresAtMs - EARLY_MS > this.#stores.now()) return token;
      // Whoever waited for the same one that failed or is too old makes one together.
      if (this.#tokens.get(name) === known) this.#tokens.delete(name);
    }
    const made = this.#tokens.get(name) ?? this.#make(upstream, auth);
    this.#tokens.set(name, made);
    return made;
  }

  async #make({ key }: Upstream, auth: AwsAuth): Promise<AwsRegistryToken> {
    if (this.#aws === undefined) {
      throw new UpstreamFailedError(
        `The upstream "${key}" needs a token of AWS, and this server has no identity there.`,
      );
    }
    try {
      return await this.#aws.make(auth);
    } catch (error) {
      if (!(error instanceof AwsRegistryTokensError)) throw error;
      throw new UpstreamFailedError(
        `No token of AWS could be made for the upstream "${key}": ${error.message}.`,
      );
    }
  }
}

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

const basic = (username: string, password: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`,
});
