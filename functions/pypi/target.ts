import type { Context } from "hono";
import type { Scope } from "../../shared/domain/token.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import { parseProjectName } from "./names.ts";

/** The project that a request is about, with the right to do to it what the request asks. */
export interface ProjectTarget {
  readonly grant: RegistryGrant;
  /** Normalised. */
  readonly project: string;
  /** The URL has the name in its normal form. */
  readonly isNormal: boolean;
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
  return services.access.open(c.get("caller"), param(c, "registry"), "pypi", scope);
}

/** @throws as `Access.open`, and {InvalidInputError} for what is no name. */
export async function openProject(c: Context<AppEnv>, services: Services): Promise<ProjectTarget> {
  const asked = param(c, "project");
  const project = parseProjectName(asked);
  const slug = param(c, "registry");
  const grant = await services.access.open(c.get("caller"), slug, "pypi", "packages:read", project);
  return { grant, project, isNormal: asked === project };
}
