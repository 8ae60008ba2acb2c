import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import { type AppEnv, isHead } from "../../../shared/http/app.ts";
import { sendBytes } from "../../../shared/http/send-file.ts";
import type { Services } from "../../../shared/services/services.ts";
import { API_VERSION, API_VERSION_HEADER } from "../api-version.ts";
import type { ImageViews } from "../image-views.ts";
import { parseDigest } from "../names.ts";
import type { Repository } from "../path.ts";
import { openTarget } from "../target.ts";

/** GET and HEAD of a blob: only what the repository of the URL links, whatever else is stored. */
export async function getBlob(
  c: Context<AppEnv>,
  services: Services,
  views: ImageViews,
  path: Repository & { readonly last: string },
): Promise<Response> {
  const digest = parseDigest(path.last);
  const { grant, image } = await openTarget(c, services, path, "packages:read");
  const withBytes = !isHead(c);
  const blob = await views.getBlob(grant, image, digest, { withBytes });
  const contentType = "application/octet-stream";
  const response = await sendBytes(
    c,
    services,
    { ...blob, contentType, etag: digest.text },
    {
      [API_VERSION_HEADER]: API_VERSION,
      "docker-content-digest": digest.text,
      // Only in the client's own cache: a shared one would answer those who may not read it.
      "cache-control": "private, max-age=31536000, immutable",
    },
  );
  // Redirects and refusals have nothing of what is said of the bytes.
  if (response.status === 307 || response.status === 416)
    response.headers.set(API_VERSION_HEADER, API_VERSION);
  return response;
}

/** DELETE of a blob: refused while a manifest that can be pulled uses it. */
export async function deleteBlob(
  c: Context<AppEnv>,
  services: Services,
  path: Repository & { readonly last: string },
): Promise<Response> {
  const digest = parseDigest(path.last);
  const { grant, ref } = await openTarget(c, services, path, "packages:delete");
  const link = await services.blobLinks.find(ref, digest.text);
  if (link === undefined) throw new NotFoundError("file", digest.text);
  await services.blobLinks.remove(grant, link);
  return new Response(null, { status: 202, headers: { "content-length": "0" } });
}
