export const AUDIT_ACTIONS = [
  "package.update",
  "package.delete",
  "package.restore",
  "package.purge",
  "version.publish",
  "version.delete",
  "version.restore",
  "version.deprecate",
  "version.undeprecate",
  "version.reclaim",
  "file.publish",
  "file.replace",
  "file.delete",
  "tag.set",
  "tag.delete",
  "token.create",
  "token.revoke",
  "registry.create",
  "registry.update",
  "registry.delete",
  "upstream.create",
  "upstream.update",
  "upstream.delete",
  "webhook.create",
  "webhook.update",
  "webhook.delete",
  "webhook.disable",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Who did what, when, to what, from where. Written in the transaction of the change itself. */
export interface AuditEntry {
  readonly id: string;
  readonly atMs: number;
  readonly action: AuditAction;
  readonly actor: string;
  /** Empty for our own workers. */
  readonly tokenId: string;
  readonly address: string;
  readonly requestId: string;
  /** Slug; empty where none is concerned. */
  readonly registry: string;
  readonly package: string;
  readonly version: string;
  /** What else identifies it: a path, a tag, a token's id. */
  readonly detail: string;
}

/** What happened, for the workers and webhooks; consumers must take the same event twice without harm. */
export interface RegistryEvent extends AuditEntry {
  readonly registryId: string;
}
