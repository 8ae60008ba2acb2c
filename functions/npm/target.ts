import type { Context } from "hono";
import type { Scope } from "../../shared/domain/token.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import { parsePackageName } from "./names.ts";

/** The package that a request is about, with the right to do to it what the request asks. */
export interface PackageTarget {
  readonly grant: RegistryGrant;
  readonly packageName: string;
}

/** A part of the path, decoded; empty when the route has none of that name. */
export function param(c: Context<AppEnv>, name: string): string {
  return c.req.param(name) ?? "";
}

/** @throws as `Access.open`. */
export async function openRegistry(
  c: Context<AppEnv>,
  services: Services,
  scope: Scope,
): Promise<RegistryGrant> {
  return services.access.open(c.get("caller"), param(c, "registry"), "npm", scope);
}

/** @throws as `Access.open`, and {InvalidInputError} for what is no name. */
export async function openPackage(
  c: Context<AppEnv>,
  services: Services,
  scope: Scope,
): Promise<PackageTarget> {
  const packageName = parsePackageName(param(c, "package"));
  const grant = await services.access.open(
    c.get("caller"),
    param(c, "registry"),
    "npm",
    scope,
    packageName,
  );
  return { grant, packageName };
}
