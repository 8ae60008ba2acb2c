import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from "node:http";
import type { RequestContext } from "../../shared/http/app.ts";
import type { Route } from "./router.ts";

type HeadersOfHead = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * A response that knows what it answers, and says the request's id in `x-request-id`. The id joins the other
 * headers as they are written: Node takes twice as long for a head of which a part was set before.
 */
export class IdentifiedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** Set on arrival. */
  route: Route | undefined;
  context: RequestContext = { requestId: "", address: "", actor: "" };
  /** The announced length of the body; 0 while it is unknown. */
  sentBytes = 0;

  override writeHead(
    status: number,
    reasonOrHeaders?: string | HeadersOfHead,
    headersAfterReason?: HeadersOfHead,
  ): this {
    const hasReason = typeof reasonOrHeaders === "string";
    const headers = hasReason ? headersAfterReason : reasonOrHeaders;
    const { requestId } = this.context;
    if (hasReason || Array.isArray(headers)) {
      this.setHeader("x-request-id", requestId);
      return hasReason
        ? super.writeHead(status, reasonOrHeaders, headers)
        : super.writeHead(status, headers);
    }
    const length = headers?.["content-length"] ?? headers?.["Content-Length"] ?? 0;
    this.sentBytes = Number(length) || 0;
    return super.writeHead(status, { ...headers, "x-request-id": requestId });
  }
}
