/** An IAM role that may exchange its identity for a token, and what such a token may do. */
export interface RoleGrant {
  /** The 12 digits of the account. */
  readonly account: string;
  /** The role's name, without its path. */
  readonly role: string;
  /** `publish` reads as well. */
  readonly allow: "pull" | "publish";
  /** Slugs, or patterns with `*`; never empty. */
  readonly registries: readonly string[];
}
