import {
  ForbiddenError,
  NotFoundError,
  UnauthenticatedError,
  UnsupportedError,
} from "../errors.ts";
import { matchesAny } from "../domain/pattern.ts";
import type { Caller, Principal } from "../domain/principal.ts";
import type { EcosystemName, Registry } from "../domain/registry.ts";
import { decidingRule } from "../domain/routing.ts";
import { hasScope, type Scope } from "../domain/token.ts";
import type { RegistryDirectory } from "./registry-directory.ts";

/** True when the principal's token covers the scope, the registry and, where one is concerned, the package. */
export function mayUse(
  principal: Principal,
  scope: Scope,
  registry: Pick<Registry, "slug" | "visibility">,
  packageName?: string,
): boolean {
  if (scope === "packages:read" && registry.visibility === "public") return true;
  return (
    principal.kind === "token" &&
    hasScope(principal.scopes, scope) &&
    matchesAny(principal.registries, registry.slug) &&
    (packageName === undefined || matchesAny(principal.packages, packageName)) &&
    isGranted(principal, scope, registry.slug, packageName)
  );
}

type TokenPrincipal = Extract<Principal, { kind: "token" }>;

function isGranted(
  { grants }: TokenPrincipal,
  scope: Scope,
  slug: string,
  packageName: string | undefined,
): boolean {
  return (
    grants === undefined ||
    grants.some(
      (grant) =>
        grant.registry === slug &&
        (packageName === undefined || grant.package === packageName) &&
        hasScope(grant.scopes, scope),
    )
  );
}

/** Whether a principal may read every package of a registry, and so may let others read them. */
export function mayReadEverything(
  principal: Principal,
  registry: Pick<Registry, "slug" | "visibility">,
): boolean {
  if (registry.visibility === "public") return true;
  const isNarrow =
    principal.kind === "token" && (principal.packages.length > 0 || principal.grants !== undefined);
  return !isNarrow && mayUse(principal, "packages:read", registry);
}

/** A registry together with who is at its door. Services take it instead of a registry, and ask it. */
export class RegistryGrant {
  readonly registry: Registry;
  readonly caller: Caller;
  /** Of the composite by which the caller came here; it decides what the caller may read and publish. */
  readonly #composite: RegistryGrant | undefined;

  constructor(registry: Registry, caller: Caller, composite?: RegistryGrant) {
    this.registry = registry;
    this.caller = caller;
    this.#composite = composite;
  }

  /**
   * The grant of a registry behind this composite: whoever may read the composite may read it. What else may be done
   * with it, the caller's token must allow for both.
   */
  through(member: Registry): RegistryGrant {
    return new RegistryGrant(member, this.caller, this);
  }

  /** What the caller's token allows; whether the registry is of a kind to do it to is for {@link require}. */
  may(scope: Scope, packageName?: string): boolean {
    const composite = this.#composite;
    if (composite?.may(scope, packageName) === false) return false;
    if (composite !== undefined && scope === "packages:read") return true;
    return mayUse(this.#principal, scope, this.registry, packageName);
  }

  /**
   * @throws {UnauthenticatedError} for an anonymous caller, {@link ForbiddenError} for one who may read but
   *   not do this, or for a name that a rule blocks, {@link NotFoundError} for one who may not know that it exists,
   *   {@link UnsupportedError} for a registry of a kind to which this cannot be done.
   */
  require(scope: Scope, packageName?: string): void {
    const composite = this.#composite;
    if (composite !== undefined) composite.#requireRight(scope, packageName);
    this.#requireRight(scope, packageName);
    if (scope !== "packages:write" && scope !== "packages:delete") return;
    this.#requireHolding(scope);
    if (scope === "packages:write" && packageName !== undefined) {
      if (composite !== undefined) composite.#requireRule(packageName);
      this.#requireRule(packageName);
    }
  }

  /** Composites hold nothing; of proxies only copies can go. */
  #requireHolding(scope: "packages:write" | "packages:delete"): void {
    const { slug, kind, routing } = this.registry;
    if (kind === "composite") throw noTarget(this.registry);
    if (kind === "proxy" && scope === "packages:write") {
      throw new UnsupportedError(
        `Registry "${slug}" is a proxy of the upstream "${routing.proxyOf}"; packages cannot be published to it.`,
      );
    }
  }

  #requireRule(packageName: string): void {
    const { slug, routing } = this.registry;
    const rule = decidingRule(routing.packageRules, "publish", packageName);
    if (rule?.publish !== "block") return;
    throw new ForbiddenError(
      `Registry "${slug}" does not take packages whose names match "${rule.pattern}", as "${packageName}" does. Choose another name, or ask an administrator to change the rule.`,
    );
  }

  /** How the caller came to speak of this registry, for messages. */
  get #path(): string {
    return this.#composite === undefined
      ? ""
      : ` (which composite "${this.#composite.registry.slug}" publishes to)`;
  }

  /** A short-lived token names the composite only, which is asked with it. */
  get #principal(): Principal {
    const { principal } = this.caller;
    if (this.#composite === undefined || principal.kind === "anonymous") return principal;
    const { grants: _, ...rest } = principal;
    return rest;
  }

  #requireRight(scope: Scope, packageName?: string): void {
    if (this.may(scope, packageName)) return;
    const principal = this.#principal;
    if (principal.kind === "anonymous") throw new UnauthenticatedError();
    if (!isGranted(principal, scope, this.registry.slug, packageName)) throw narrowToken();
    if (this.may("packages:read", packageName) || this.may("registries:read")) {
      const where = packageName === undefined ? "" : ` on package "${packageName}"`;
      throw new ForbiddenError(
        `Your token has no scope "${scope}" for registry "${this.registry.slug}"${this.#path}${where}. Create a token with it, or ask an administrator.`,
      );
    }
    if (packageName !== undefined && this.may("packages:read")) {
      throw new NotFoundError("package", packageName);
    }
    throw new NotFoundError("registry", this.registry.slug);
  }
}

const noTarget = ({ slug, routing }: Registry): UnsupportedError =>
  new UnsupportedError(
    `Registry "${slug}" is a composite without a publish target; publish to one of its source registries. Behind it are: ${routing.upstreams.join(", ") || "none"}.`,
  );

/** A token for other packages: with the challenge, its client can fetch one for this. */
const narrowToken = (): UnauthenticatedError =>
  new UnauthenticatedError("Your short-lived token does not cover this; fetch one for it.");

/** What {@link Access.openAny} gives or throws. */
function doorOf(caller: Caller, slug: string, registry: Registry | undefined): RegistryGrant {
  if (registry !== undefined) {
    const grant = new RegistryGrant(registry, caller);
    if (grant.may("packages:read") || grant.may("registries:read")) return grant;
    if (grant.may("packages:delete") || grant.may("registries:delete")) return grant;
    // An auditor reads who published what, and none of the packages.
    if (grant.may("audit:read")) return grant;
  }
  if (caller.principal.kind === "anonymous") throw new UnauthenticatedError();
  if (!isGranted(caller.principal, "packages:read", slug, undefined)) throw narrowToken();
  throw new NotFoundError("registry", slug);
}

export class Access {
  readonly #directory: RegistryDirectory;

  constructor(directory: RegistryDirectory) {
    this.#directory = directory;
  }

  /**
   * The registry of a protocol request, with the right to do `scope` in it; for changes of a composite's packages, the
   * one that it publishes to.
   *
   * @throws as {@link RegistryGrant.require}; an anonymous caller learns nothing of private registries, not
   *   even whether they exist. {@link UnsupportedError} when the registry speaks another ecosystem.
   */
  async open(
    caller: Caller,
    slug: string,
    ecosystem: EcosystemName,
    scope: Scope,
    packageName?: string,
  ): Promise<RegistryGrant> {
    // Nearly every request comes by here, and nearly every registry is known.
    const registry = this.#directory.known(slug) ?? (await this.#directory.find(slug));
    const door = doorOf(caller, slug, registry);
    const grant = scope === "packages:read" ? door : await this.holding(door, scope);
    grant.require(scope, packageName);
    if (grant.registry.ecosystem !== ecosystem) {
      throw new UnsupportedError(
        `Registry "${slug}" is a ${grant.registry.ecosystem} registry and does not speak ${ecosystem}. Use the URLs under /${grant.registry.ecosystem}/${slug}/.`,
      );
    }
    return grant;
  }

  /**
   * Where `scope` is done for a registry: changes of a composite's packages in the registry that it publishes to. The
   * right to it is still to be asked, of the grant that is given.
   *
   * @throws {UnsupportedError} for deletions in a proxy, and as {@link RegistryGrant.require}.
   */
  async holding(grant: RegistryGrant, scope: Scope): Promise<RegistryGrant> {
    const { slug, kind, routing } = grant.registry;
    if (kind === "composite" && (scope === "packages:write" || scope === "packages:delete")) {
      const target = await this.#directory.find(routing.publishTo);
      return target === undefined ? grant : grant.through(target);
    }
    if (kind === "proxy" && scope === "packages:delete") {
      grant.require(scope);
      throw new UnsupportedError(
        `Registry "${slug}" is a proxy of the upstream "${routing.proxyOf}"; packages cannot be deleted from it. To have copies fetched anew, purge them.`,
      );
    }
    return grant;
  }

  /** Any registry that the caller may know of; what may be done with it is still to be asked. */
  async openAny(caller: Caller, slug: string): Promise<RegistryGrant> {
    return doorOf(caller, slug, await this.#directory.find(slug));
  }

  /** @throws {UnauthenticatedError} | {@link ForbiddenError} unless the caller's token has the scope. */
  requireScope(caller: Caller, scope: Scope): Extract<Principal, { kind: "token" }> {
    const { principal } = caller;
    if (principal.kind === "anonymous") throw new UnauthenticatedError();
    if (!hasScope(principal.scopes, scope)) {
      throw new ForbiddenError(
        `Your token has no scope "${scope}". Create a token with it, or ask an administrator.`,
      );
    }
    return principal;
  }
}
