import type { RequestContext } from "../../shared/http/app.ts";
import type { Services } from "../../shared/services/services.ts";
import { isLongUpload, longUploadProblem } from "./plain-uploads.ts";

type Handler = (request: Request, context: RequestContext) => Response | Promise<Response>;

/** What CloudFront answers on AWS before any function is asked: 413 with words, where the gateway's has none. */
export function createPlainEdge(
  _services: Services,
  { inlineLimitBytes }: { readonly inlineLimitBytes: number },
  next: Handler,
): Handler {
  if (inlineLimitBytes === 0) return next;
  return (request, context) => {
    const plain = {
      method: request.method,
      path: new URL(request.url).pathname,
      contentLength: request.headers.get("content-length") ?? undefined,
    };
    return isLongUpload(plain, inlineLimitBytes)
      ? new Response(longUploadProblem(inlineLimitBytes), {
          status: 413,
          headers: { "content-type": "application/problem+json" },
        })
      : next(request, context);
  };
}
