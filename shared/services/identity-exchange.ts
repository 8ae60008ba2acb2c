import { hash } from "node:crypto";
import {
  ForbiddenError,
  UnauthenticatedError,
  UnavailableError,
  UnsupportedError,
} from "../errors.ts";
import type { Caller } from "../domain/principal.ts";
import type { RoleGrant } from "../domain/role-grant.ts";
import {
  type Identities,
  IdentitiesUnavailableError,
  type IdentityProof,
  type RoleIdentity,
} from "../ports/identities.ts";
import type { CreatedToken, NewToken, Tokens } from "./tokens.ts";
import { useProofOp } from "../records/identity-proofs.ts";
import type { Stores } from "./stores.ts";

/** A job that runs longer logs in again. */
export const ROLE_TOKEN_SECONDS = 3600;
/** Longer than any proof is good for, clocks that differ included. */
const PROOF_SECONDS = 1800;

/** Who says who callers are, and what the roles among them may do. */
export interface RoleAccess {
  readonly identities: Identities;
  readonly grants: readonly RoleGrant[];
}

interface ExchangeOptions {
  /** Absent where there is nobody to ask, as outside of AWS. */
  readonly roleAccess?: RoleAccess;
  readonly trustProxy: boolean;
  readonly baseUrl?: string;
}

/** Tokens for IAM roles, in exchange for a proof of who they are: no secret has to be kept anywhere. */
export class IdentityExchange {
  readonly #stores: Stores;
  readonly #tokens: Tokens;
  readonly #options: ExchangeOptions;

  constructor(stores: Stores, tokens: Tokens, options: ExchangeOptions) {
    this.#stores = stores;
    this.#tokens = tokens;
    this.#options = options;
  }

  /** The region that a proof must be made for. @throws {UnsupportedError} */
  region(): string {
    return this.#require().identities.region;
  }

  /**
   * A token for the role behind a proof, for {@link ROLE_TOKEN_SECONDS}: to publish where the role may, unless only
   * `pull` is asked for.
   *
   * @throws {UnauthenticatedError} for a proof that is wrong, too old or used before; {@link ForbiddenError} for a
   *   role that nobody granted this; {@link UnsupportedError} | {@link UnavailableError}
   */
  async exchange(
    caller: Caller,
    proof: IdentityProof,
    wanted: RoleGrant["allow"] | undefined,
  ): Promise<CreatedToken> {
    const { identities, grants } = this.#require();
    const { host } = new URL(caller.baseUrl);
    const identity = await identify(identities, proof, host);
    if (identity === undefined) throw wrongProof(host);
    const owner = `aws:${identity.account}:${identity.role}`;
    const own = grants.filter(
      ({ account, role }) => account === identity.account && role === identity.role,
    );
    const rights = rightsOf(own, wanted);
    if (rights === undefined) {
      throw new ForbiddenError(
        `Role "${identity.role}" of account ${identity.account} may not ${wanted ?? "pull"} here. Whoever runs this registry can allow it: docs/deploy.md, "Roles instead of tokens".`,
      );
    }
    const nowMs = this.#stores.now();
    const used = hash("sha256", proof.authorization, "hex");
    const created = await this.#tokens.createFor(caller, {
      token: {
        ...rights,
        owner,
        description: `IAM role ${identity.role}, session ${identity.session}`,
        packages: [],
        expiresAtMs: nowMs + ROLE_TOKEN_SECONDS * 1000,
        rateLimitExempt: false,
      },
      once: useProofOp(used, Math.floor(nowMs / 1000) + PROOF_SECONDS),
    });
    if (created === undefined) throw wrongProof(host);
    return created;
  }

  #require(): RoleAccess {
    const { roleAccess, trustProxy, baseUrl } = this.#options;
    if (roleAccess === undefined) {
      throw new UnsupportedError(
        "This registry takes no IAM roles, because it does not run on AWS. Log in with a token.",
      );
    }
    // Whoever reaches us past the proxy can say any name, and so present a proof that was made for another registry.
    if (trustProxy && baseUrl === undefined) {
      throw new UnsupportedError(
        "This registry takes no IAM roles, because it does not know its own name: its operator must set `edge.domain`.",
      );
    }
    return roleAccess;
  }
}

async function identify(
  identities: Identities,
  proof: IdentityProof,
  host: string,
): Promise<RoleIdentity | undefined> {
  try {
    return await identities.identify(proof, host);
  } catch (error) {
    if (!(error instanceof IdentitiesUnavailableError)) throw error;
    throw new UnavailableError("AWS does not say now who you are; try again.", 2);
  }
}

/** Grants to publish and grants to pull make different tokens, so that none can do in one registry what only another allows. */
function rightsOf(
  grants: readonly RoleGrant[],
  wanted: RoleGrant["allow"] | undefined,
): Pick<NewToken, "scopes" | "registries"> | undefined {
  const mayPublish = grants.some(({ allow }) => allow === "publish");
  const publishes = wanted === "publish" || (wanted === undefined && mayPublish);
  const registries = grants
    .filter(({ allow }) => !publishes || allow === "publish")
    .flatMap((grant) => grant.registries);
  if (registries.length === 0) return undefined;
  return {
    scopes: publishes ? ["packages:read", "packages:write"] : ["packages:read"],
    registries: [...new Set(registries)],
  };
}

const wrongProof = (host: string): UnauthenticatedError =>
  new UnauthenticatedError(
    `The proof of your identity is wrong, was used before, is older than five minutes, was not made by an IAM role, or not for "${host}". Check the clock and log in again under this name.`,
  );
