import type { Registry } from "../../../shared/domain/registry.ts";
import type { Upstream } from "../../../shared/domain/upstream.ts";
import type { PackageRef } from "../../../shared/services/blob-links.ts";
import type { Leaf } from "../../../shared/services/views/routes.ts";
import { repositoryOf } from "./repository.ts";

/** An image as a proxy has it. */
export interface ProxyImage {
  readonly registry: Registry;
  readonly upstream: Upstream;
  /** What its upstream calls it. */
  readonly repository: string;
}

/** `undefined` for a leaf that is no proxy. */
export function proxyImageOf({ registry, upstream }: Leaf, image: string): ProxyImage | undefined {
  if (upstream === undefined) return undefined;
  return { registry, upstream, repository: repositoryOf(upstream, image) };
}

/** Where the rows of an image are, in a source or a proxy. */
export const refOf = (leaf: Leaf, image: string): PackageRef => ({
  registryId: leaf.registry.id,
  packageName: proxyImageOf(leaf, image)?.repository ?? image,
});
