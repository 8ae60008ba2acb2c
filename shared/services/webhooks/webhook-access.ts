import { ForbiddenError, NotFoundError, UnauthenticatedError } from "../../errors.ts";
import type { Caller, Principal } from "../../domain/principal.ts";
import type { Webhook } from "../../domain/webhook.ts";
import type { Stores } from "../stores.ts";
import { toWebhook, webhookKey } from "../../records/webhooks.ts";
import { type Access, mayUse } from "../access.ts";
import type { RegistryDirectory } from "../registry-directory.ts";

export type WebhookScope = "webhooks:read" | "webhooks:write";

/** Who may see and change which webhooks. */
export class WebhookAccess {
  readonly #stores: Stores;
  readonly #access: Access;
  readonly #directory: RegistryDirectory;

  constructor(stores: Stores, access: Access, directory: RegistryDirectory) {
    this.#stores = stores;
    this.#access = access;
    this.#directory = directory;
  }

  /**
   * The id of the registry that webhooks are asked of; empty for the whole deployment, when `slug` is absent.
   *
   * @throws {UnauthenticatedError} | {@link ForbiddenError} | {@link NotFoundError}
   */
  async openScope(caller: Caller, slug: string | undefined, scope: WebhookScope): Promise<string> {
    if (slug === undefined) {
      requireUnbound(this.#access.requireScope(caller, scope), "registries");
      return "";
    }
    const grant = await this.#access.openAny(caller, slug);
    grant.require(scope);
    // Its deliveries name every package of the registry.
    requireUnbound(this.#access.requireScope(caller, scope), "packages");
    return grant.registry.id;
  }

  /** One webhook, read from the table. @throws {NotFoundError} also when the caller may not know of it. */
  async open(caller: Caller, id: string, scope: WebhookScope): Promise<Webhook> {
    const { principal } = caller;
    if (principal.kind === "anonymous") throw new UnauthenticatedError();
    const item = await this.#stores.table.get(webhookKey(id));
    const webhook = item === undefined ? undefined : toWebhook(item);
    if (webhook === undefined || !(await this.maySee(principal, webhook))) {
      // Before anything is said of webhooks: a token without the scope learns that it lacks it.
      this.#access.requireScope(caller, "webhooks:read");
      throw new NotFoundError("webhook", id);
    }
    this.#access.requireScope(caller, scope);
    return webhook;
  }

  /** For a list of whatever the caller may see. @throws {UnauthenticatedError} | {@link ForbiddenError} */
  requireAny(caller: Caller): void {
    this.#access.requireScope(caller, "webhooks:read");
  }

  /** Whether the webhook is one that this principal may know of. */
  async maySee(principal: Principal, webhook: Webhook): Promise<boolean> {
    if (principal.kind === "anonymous") return false;
    if (webhook.registryId === "") {
      return isUnbound(principal, "registries") && mayUse(principal, "webhooks:read", EVERYWHERE);
    }
    // The slug may be another registry's by now.
    const registry = await this.#directory.find(webhook.registry);
    return (
      registry?.id === webhook.registryId &&
      isUnbound(principal, "packages") &&
      mayUse(principal, "webhooks:read", registry)
    );
  }
}

/** Stands for no registry in particular: only a token that is bound to none gets this far. */
const EVERYWHERE = { slug: "", visibility: "private" } as const;

type TokenPrincipal = Extract<Principal, { kind: "token" }>;

function isUnbound(principal: TokenPrincipal, bound: "registries" | "packages"): boolean {
  if (principal.packages.length > 0 || principal.grants !== undefined) return false;
  return bound === "packages" || principal.registries.length === 0;
}

function requireUnbound(principal: TokenPrincipal, bound: "registries" | "packages"): void {
  if (isUnbound(principal, bound)) return;
  throw new ForbiddenError(
    bound === "packages"
      ? "Your token is bound to some packages, and webhooks hear of every package. Use a token without that bound."
      : "Your token is bound to some registries or packages, and this webhook would hear of all of them. Name one registry, or use a token without that bound.",
  );
}
