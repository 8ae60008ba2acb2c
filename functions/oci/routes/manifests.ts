import type { Context } from "hono";
import { NotFoundError, TooLargeError } from "../../../shared/errors.ts";
import { type AppEnv, isHead } from "../../../shared/http/app.ts";
import { bodyBytes } from "../../../shared/http/body-bytes.ts";
import { matchesEtag, staleWarning } from "../../../shared/http/conditional.ts";
import type { Services } from "../../../shared/services/services.ts";
import { API_VERSION, API_VERSION_HEADER } from "../api-version.ts";
import { OciInvalidError } from "../errors.ts";
import type { ImageViews } from "../image-views.ts";
import { MAX_MANIFEST_BYTES, parseManifest } from "../manifest.ts";
import { MAX_TAGS, type Manifests } from "../manifests.ts";
import { findReference, parseReference, parseTag } from "../names.ts";
import type { Repository } from "../path.ts";
import { openTarget } from "../target.ts";

type ManifestPath = Repository & { readonly last: string };

/** GET and HEAD: the very bytes that were pushed, with the media type that they were pushed with. */
export async function getManifest(
  c: Context<AppEnv>,
  services: Services,
  views: ImageViews,
  path: ManifestPath,
): Promise<Response> {
  const reference = findReference(path.last);
  const { grant, image } = await openTarget(c, services, path, "packages:read");
  if (reference === undefined) throw new NotFoundError("tag", path.last.slice(0, 150));
  const { file, content, stale } = await views.getManifest(grant, image, reference);
  const headers = {
    [API_VERSION_HEADER]: API_VERSION,
    ...staleWarning(stale),
    "content-type": file.contentType,
    "docker-content-digest": file.version,
    etag: `"${file.version}"`,
    "x-content-type-options": "nosniff",
    // A tag may move at any time; a digest never names anything else.
    "cache-control":
      reference.kind === "tag" ? "private, no-cache" : "private, max-age=31536000, immutable",
  };
  if (matchesEtag(c.req.header("if-none-match"), file.version)) {
    return new Response(null, { status: 304, headers });
  }
  const whole = { ...headers, "content-length": String(file.sizeBytes) };
  if (isHead(c)) return new Response(null, { headers: whole });
  services.downloads.count({ file });
  if (content !== undefined) return new Response(bodyBytes(content), { headers: whole });
  const body = await services.stores.blobs.open(file.digests.sha256);
  if (body === undefined) throw new Error(`the manifest ${file.version} of ${image} is missing`);
  return new Response(body, { headers: whole });
}

/** PUT by tag or digest; by digest with any number of `tag` parameters, up to {@link MAX_TAGS}. */
export async function putManifest(
  c: Context<AppEnv>,
  services: Services,
  manifests: Manifests,
  path: ManifestPath,
): Promise<Response> {
  const reference = parseReference(path.last);
  const { grant, image, name } = await openTarget(c, services, path, "packages:write");
  const asked = new URL(c.req.url).searchParams.getAll("tag");
  const tags = reference.kind === "tag" ? [reference.tag] : [...new Set(asked.map(parseTag))];
  if (tags.length > MAX_TAGS) {
    throw new OciInvalidError(
      "TAG_INVALID",
      `One push sets ${MAX_TAGS} tags at most; set the others after it.`,
      {
        status: 414,
      },
    );
  }
  const bytes = await readManifest(c.req.raw);
  const claimed = reference.kind === "digest" ? reference.digest : undefined;
  const manifest = parseManifest(bytes, c.req.header("content-type"), claimed);
  await manifests.publish(grant, image, manifest, tags);
  const digest = manifest.digest.text;
  const response = new Response(null, {
    status: 201,
    headers: {
      location: `/v2/${name}/manifests/${digest}`,
      "docker-content-digest": digest,
      "content-length": "0",
    },
  });
  if (manifest.subject !== undefined) response.headers.set("oci-subject", manifest.subject.digest);
  if (reference.kind === "digest" && tags.length > 0)
    response.headers.set("oci-tag", tags.join(", "));
  return response;
}

/** DELETE by digest takes the manifest and the tags that point at it, by tag only the tag. */
export async function deleteManifest(
  c: Context<AppEnv>,
  services: Services,
  path: ManifestPath,
): Promise<Response> {
  const reference = parseReference(path.last);
  const { grant, image } = await openTarget(c, services, path, "packages:delete");
  if (reference.kind === "tag")
    await services.tags.remove(grant, image, reference.tag, "packages:delete");
  else await services.lifecycle.deleteVersion(grant, image, reference.digest.text);
  return new Response(null, { status: 202, headers: { "content-length": "0" } });
}

async function readManifest(request: Request): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_MANIFEST_BYTES) throw tooLarge();
  const body: ReadableStream<Uint8Array> | null = request.body;
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_MANIFEST_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

const tooLarge = (): TooLargeError =>
  new TooLargeError(
    "The manifest",
    MAX_MANIFEST_BYTES,
    "Split it, or put its annotations into a layer.",
  );
