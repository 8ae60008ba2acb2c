import { randomUUID } from "node:crypto";
import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from "node:http";
import type { RequestContext } from "../../shared/http/app.ts";
import type { Route } from "./router.ts";

type EndCallback = () => void;
type HeadersOfHead = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * A response that knows what it answers, and says the request's id in `x-request-id`. The id joins the other
 * headers as they are written: Node takes twice as long for a head of which a part was set before.
 */
export class IdentifiedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** Set on arrival; what Node refuses by itself never arrives. */
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
    const requestId = this.context.requestId || randomUUID();
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

  /**
   * A whole answer waits for the others of its turn of the event loop and leaves with them. A client that
   * sleeps is then woken once for all of them: waking it costs more than writing the answer.
   */
  override end(
    chunk?: unknown,
    encodingOrCallback?: BufferEncoding | EndCallback,
    callback?: EndCallback,
  ): this {
    const isWhole = chunk === undefined || chunk instanceof Uint8Array;
    if (isWhole && encodingOrCallback === undefined) {
      if (waiting.push({ response: this, body: chunk }) === 1) setImmediate(sendWaiting);
      return this;
    }
    if (typeof encodingOrCallback === "string") {
      return super.end(chunk, encodingOrCallback, callback);
    }
    return super.end(chunk, encodingOrCallback);
  }

  /** What {@link end} put off. */
  sendNow(body: Uint8Array | undefined): void {
    super.end(body);
  }
}

interface WholeAnswer {
  readonly response: IdentifiedResponse;
  readonly body: Uint8Array | undefined;
}

let waiting: WholeAnswer[] = [];

function sendWaiting(): void {
  const answers = waiting;
  waiting = [];
  for (const { response, body } of answers) response.sendNow(body);
}
