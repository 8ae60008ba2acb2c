import { ForbiddenError } from "../../../shared/errors.ts";
import type { Caller } from "../../../shared/domain/principal.ts";
import type { Scope } from "../../../shared/domain/token.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { Services } from "../../../shared/services/services.ts";

export interface OpenedPackage {
  readonly grant: RegistryGrant;
  /** Canonical; whether there is such a package is still to be seen. */
  readonly packageName: string;
}

/** The registry of a package (of a composite, for changes, the one it publishes to), with the right to do `scope` to it. @throws as `Access.open` and the name's parser. */
export async function openPackage(
  services: Services,
  caller: Caller,
  params: { readonly slug: string; readonly package: string },
  scope: Scope,
): Promise<OpenedPackage> {
  const door = await services.access.openAny(caller, params.slug);
  const grant = await services.access.holding(door, scope);
  const ecosystem = services.ecosystems[grant.registry.ecosystem];
  const packageName = ecosystem.parsePackageName(params.package);
  grant.require(scope, packageName);
  return { grant, packageName };
}

export interface OpenedVersion extends OpenedPackage {
  /** Canonical; whether there is such a version is still to be seen. */
  readonly version: string;
}

/** As {@link openPackage}, with the version. */
export async function openVersion(
  services: Services,
  caller: Caller,
  params: { readonly slug: string; readonly package: string; readonly version: string },
  scope: Scope,
): Promise<OpenedVersion> {
  const opened = await openPackage(services, caller, params, scope);
  const ecosystem = services.ecosystems[opened.grant.registry.ecosystem];
  return { ...opened, version: ecosystem.parseVersion(params.version) };
}

/** For what concerns the whole deployment. @throws {ForbiddenError} also for a token bound to some registries. */
export function requireEverywhere(services: Services, caller: Caller, scope: Scope): void {
  const principal = services.access.requireScope(caller, scope);
  if (principal.registries.length > 0 || principal.packages.length > 0) {
    throw new ForbiddenError(
      "Your token is bound to some registries or packages, and this concerns all of them. Use a token without that bound.",
    );
  }
}
