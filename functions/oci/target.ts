import type { Context } from "hono";
import type { Scope } from "../../shared/domain/token.ts";
import { NotFoundError, RegistryError } from "../../shared/errors.ts";
import { SLUG_PATTERN } from "../../shared/domain/registry.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { PackageRef } from "../../shared/services/blob-links.ts";
import type { Services } from "../../shared/services/services.ts";
import { OciInvalidError } from "./errors.ts";
import { parseImageName } from "./names.ts";
import type { Repository } from "./path.ts";

/** A repository that the caller may use as it asked to. */
export interface Target {
  readonly grant: RegistryGrant;
  readonly image: string;
  /** `<registry>/<image>`, as it stands in URLs. */
  readonly name: string;
  readonly ref: PackageRef;
}

/**
 * Opens the repository of a request.
 *
 * @throws {OciInvalidError} for a name that none can have; otherwise as `Access.open`.
 */
export async function openTarget(
  c: Context<AppEnv>,
  services: Services,
  repository: Repository,
  scope: Scope,
): Promise<Target> {
  const { registry } = repository;
  if (!SLUG_PATTERN.test(registry) || repository.image === "") {
    throw new OciInvalidError(
      "NAME_INVALID",
      "A repository is named <registry>/<image>: the name of a registry, then one or more components.",
    );
  }
  const image = parseImageName(repository.image);
  const grant = await services.access.open(c.get("caller"), registry, "oci", scope, image);
  return {
    grant,
    image,
    name: `${registry}/${image}`,
    ref: { registryId: grant.registry.id, packageName: image },
  };
}

/**
 * Where a `from` of a mount leads, as far as the caller may read there; `undefined` otherwise.
 *
 * @throws {UnauthenticatedError} when only the caller's short-lived token is too narrow: it can fetch another.
 */
export async function findReadable(
  c: Context<AppEnv>,
  services: Services,
  name: string,
): Promise<Target | undefined> {
  const [registry = "", ...image] = name.split("/");
  try {
    return await openTarget(c, services, { registry, image: image.join("/") }, "packages:read");
  } catch (error) {
    // Whatever is wrong with the source, the client goes on with an ordinary upload.
    if (error instanceof RegistryError && !isNarrow(c, registry, image.join("/"))) return undefined;
    throw error;
  }
}

function isNarrow(c: Context<AppEnv>, registry: string, image: string): boolean {
  const { principal } = c.get("caller");
  return (
    principal.kind === "token" &&
    principal.grants?.some((grant) => grant.registry === registry && grant.package === image) ===
      false
  );
}

/** The caller may read, but there was never such a repository. */
export const unknownRepository = (name: string): NotFoundError =>
  new NotFoundError("package", name);
