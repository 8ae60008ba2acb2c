import type { Context } from "hono";
import { InvalidInputError, UnauthenticatedError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { staleWarning } from "../../../shared/http/conditional.ts";
import type { Services } from "../../../shared/services/services.ts";
import type { ImageViews } from "../image-views.ts";
import { listRepositories } from "../listings.ts";
import { OCI_INDEX } from "../media-types.ts";
import { parseDigest } from "../names.ts";
import type { Repository } from "../path.ts";
import { openTarget, unknownRepository } from "../target.ts";
import { lister } from "../tokens.ts";

/** A page of tags or repositories; a client that wants fewer asks with `n`. */
const MAX_PAGE = 10_000;
const MAX_LAST_LENGTH = 300;

/** GET of `tags/list`: in byte order, with `n` and `last`. */
export async function getTags(
  c: Context<AppEnv>,
  services: Services,
  views: ImageViews,
  path: Repository,
): Promise<Response> {
  const { grant, image, name } = await openTarget(c, services, path, "packages:read");
  const { limit, last } = pageOf(c);
  const { names, more, isKnown, stale } = await views.lists.tags(grant, image, { limit, last });
  if (!isKnown) throw unknownRepository(name);
  const link = nextLink(more, `/v2/${name}/tags/list`, limit, names.at(-1));
  return c.json({ name, tags: names }, 200, { ...link, ...staleWarning(stale) });
}

/**
 * GET of `_catalog`: repositories of every registry that the caller may read, in order. Who sends no credentials gets
 * the challenge, as at the ping: regctl, oras and podman send theirs only then, and would take the public repositories
 * for all that there are.
 */
export async function getCatalog(c: Context<AppEnv>, services: Services): Promise<Response> {
  if (c.req.header("authorization") === undefined) throw new UnauthenticatedError();
  const { limit, last } = pageOf(c);
  const caller = c.get("caller");
  const { names, more } = await listRepositories(
    services,
    { ...caller, principal: lister(caller.principal) },
    { limit, last },
  );
  return c.json({ repositories: names }, 200, nextLink(more, "/v2/_catalog", limit, names.at(-1)));
}

/**
 * GET of `referrers/<digest>`: an index of what says that it is about the digest; empty, never 404, for one that
 * nothing is about. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
export async function getReferrers(
  c: Context<AppEnv>,
  services: Services,
  views: ImageViews,
  path: Repository & { readonly last: string },
): Promise<Response> {
  const digest = parseDigest(path.last);
  const { grant, image, name } = await openTarget(c, services, path, "packages:read");
  const artifactType = c.req.query("artifactType");
  const last = parseLast(c.req.query("last"));
  const page = await views.lists.referrers(grant, image, {
    subject: digest.text,
    artifactType,
    last,
  });
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: page.descriptors };
  const headers: Record<string, string> = {
    "content-type": OCI_INDEX,
    ...staleWarning(page.stale),
  };
  if (artifactType !== undefined) headers["oci-filters-applied"] = "artifactType";
  if (page.next !== undefined) {
    const query = new URLSearchParams({
      ...(artifactType === undefined ? {} : { artifactType }),
      last: page.next,
    });
    headers["link"] = `</v2/${name}/referrers/${digest.text}?${query.toString()}>; rel="next"`;
  }
  return new Response(JSON.stringify(index), { headers });
}

function pageOf(c: Context<AppEnv>): { readonly limit: number; readonly last: string | undefined } {
  const n = c.req.query("n");
  if (n !== undefined && !/^\d{1,20}$/.test(n)) {
    throw new InvalidInputError(`The parameter n is not a number: "${n.slice(0, 50)}".`);
  }
  const limit = Math.min(n === undefined ? MAX_PAGE : Number(n), MAX_PAGE);
  return { limit, last: parseLast(c.req.query("last")) };
}

function parseLast(last: string | undefined): string | undefined {
  if (last === undefined || last === "") return undefined;
  if (last.length <= MAX_LAST_LENGTH && /^[\x21-\x7e]+$/.test(last)) return last;
  throw new InvalidInputError("The parameter last is none that a Link of ours has.");
}

/** Relative: some clients send no credentials to another origin than they know. */
function nextLink(
  more: boolean,
  path: string,
  limit: number,
  last: string | undefined,
): Record<string, string> {
  if (!more || last === undefined) return {};
  const query = new URLSearchParams({ n: String(limit), last });
  return { link: `<${path}?${query.toString()}>; rel="next"` };
}
