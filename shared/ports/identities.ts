/** An IAM role that somebody acts as. */
export interface RoleIdentity {
  /** The 12 digits of the account. */
  readonly account: string;
  /** The role's name, without its path. */
  readonly role: string;
  /** Whoever took the role chose it: good for logs, proof of nothing. */
  readonly session: string;
}

/**
 * A request to say who one is, signed by the caller and to be sent by us. These are all the parts that the caller
 * decides; the rest is fixed.
 */
export interface IdentityProof {
  readonly authorization: string;
  /** When it was signed, as `20260131T120000Z`. */
  readonly date: string;
  /** Of temporary credentials. */
  readonly securityToken?: string;
}

/** Finds out who signed a request: STS on AWS. */
export interface Identities {
  /** Where a proof must be made for. */
  readonly region: string;
  /**
   * The role behind a proof that was made for `deployment`; `undefined` for a proof that is wrong, too old, made for
   * another deployment or region, or not made by a role.
   *
   * @param deployment Host name, with the port if there is one, under which the caller reached us.
   * @throws {IdentitiesUnavailableError} when nobody answers.
   */
  identify(proof: IdentityProof, deployment: string): Promise<RoleIdentity | undefined>;
}

/** Nobody can say now who the caller is. */
export class IdentitiesUnavailableError extends Error {
  override readonly name = "IdentitiesUnavailableError";
}
