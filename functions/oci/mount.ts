import type { Context } from "hono";
import type { AppEnv } from "../../shared/http/app.ts";
import type { BlobLink } from "../../shared/records/blob-links.ts";
import type { Services } from "../../shared/services/services.ts";
import type { OciDigest } from "./names.ts";
import { findReadable, type Target } from "./target.ts";

/** References looked at for a mount that names no source. */
const MAX_CANDIDATES = 50;

/**
 * Lets a repository serve a blob of another that the caller may read: a row, not a copy. Without `from`, of any
 * other repository of the same registry.
 *
 * @returns false when there is none, or one larger than the registry takes; the client then uploads it.
 */
export async function mountBlob(
  c: Context<AppEnv>,
  services: Services,
  target: Target,
  digest: OciDigest,
  from: string | undefined,
): Promise<boolean> {
  const { blobLinks } = services;
  if ((await blobLinks.find(target.ref, digest.text)) !== undefined) return true;
  const link =
    from === undefined
      ? await findAnywhere(services, target, digest)
      : await findIn(await findReadable(c, services, from), services, digest);
  const { maxFileBytes } = target.grant.registry.policies;
  if (link === undefined || link.sizeBytes > maxFileBytes) return false;
  return blobLinks.link(target.ref, { ...link, digest: digest.text });
}

async function findIn(
  source: Target | undefined,
  services: Services,
  digest: OciDigest,
): Promise<BlobLink | undefined> {
  return source && services.blobLinks.find(source.ref, digest.text);
}

async function findAnywhere(
  services: Services,
  target: Target,
  digest: OciDigest,
): Promise<BlobLink | undefined> {
  // Blobs are stored by sha256, so only such a digest leads to who else has one.
  if (digest.algorithm !== "sha256") return undefined;
  const { registryId } = target.ref;
  const owners = await services.blobLinks.listOwners(digest.hex, MAX_CANDIDATES);
  for (const owner of owners) {
    const mayRead =
      owner.registryId === registryId && target.grant.may("packages:read", owner.packageName);
    const link = mayRead ? await services.blobLinks.find(owner, digest.text) : undefined;
    if (link !== undefined) return link;
  }
  return undefined;
}
