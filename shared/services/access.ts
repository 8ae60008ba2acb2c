import {
  ForbiddenError,
  NotFoundError,
  UnauthenticatedError,
  UnsupportedError,
} from "../errors.ts";
import { matchesAny } from "../domain/pattern.ts";
import type { Caller, Principal } from "../domain/principal.ts";
import type { EcosystemName, Registry } from "../domain/registry.ts";
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

/** A registry together with who is at its door. Services take it instead of a registry, and ask it. */
export class RegistryGrant {
  readonly registry: Registry;
  readonly caller: Caller;

  constructor(registry: Registry, caller: Caller) {
    this.registry = registry;
    this.caller = caller;
  }

  may(scope: Scope, packageName?: string): boolean {
    return mayUse(this.caller.principal, scope, this.registry, packageName);
  }

  /**
   * @throws {UnauthenticatedError} for an anonymous caller, {@link ForbiddenError} for one who may read but
   *   not do this, {@link NotFoundError} for one who may not know that it exists.
   */
  require(scope: Scope, packageName?: string): void {
    if (this.may(scope, packageName)) return;
    const { principal } = this.caller;
    if (principal.kind === "anonymous") throw new UnauthenticatedError();
    if (!isGranted(principal, scope, this.registry.slug, packageName)) throw narrowToken();
    if (this.may("packages:read", packageName) || this.may("registries:read")) {
      const where = packageName === undefined ? "" : ` on package "${packageName}"`;
      throw new ForbiddenError(
        `Your token has no scope "${scope}" for registry "${this.registry.slug}"${where}. Create a token with it, or ask an administrator.`,
      );
    }
    if (packageName !== undefined && this.may("packages:read")) {
      throw new NotFoundError("package", packageName);
    }
    throw new NotFoundError("registry", this.registry.slug);
  }
}

/** A token for other packages: with the challenge, its client can fetch one for this. */
const narrowToken = (): UnauthenticatedError =>
  new UnauthenticatedError("Your short-lived token does not cover this; fetch one for it.");

export class Access {
  readonly #directory: RegistryDirectory;

  constructor(directory: RegistryDirectory) {
    this.#directory = directory;
  }

  /**
   * The registry of a protocol request, with the right to do `scope` in it.
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
    const grant = await this.openAny(caller, slug);
    grant.require(scope, packageName);
    if (grant.registry.ecosystem !== ecosystem) {
      throw new UnsupportedError(
        `Registry "${slug}" is a ${grant.registry.ecosystem} registry and does not speak ${ecosystem}. Use the URLs under /${grant.registry.ecosystem}/${slug}/.`,
      );
    }
    return grant;
  }

  /** Any registry that the caller may know of; what may be done with it is still to be asked. */
  async openAny(caller: Caller, slug: string): Promise<RegistryGrant> {
    const registry = await this.#directory.find(slug);
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
