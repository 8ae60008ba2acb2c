import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  /** `X-Amz-Target`: the operation of an AWS service. */
  readonly target: string | undefined;
}

/** What the proxy does with a request; `pass` hands it on. */
export type Verdict =
  | "pass"
  /** Never answers. */
  | "stall"
  /** Closes the connection without an answer, and hands nothing on. */
  | "reset"
  /** Hands it on, and cuts the answer off after so many bytes of it. */
  | { readonly cutAfterBytes: number }
  /** Hands it on, and turns every bit of the answer's first byte around. */
  | "damage"
  | { readonly status: number; readonly body: string };

/** Stands between a client and a server, writes down what passes, and does harm when told to. */
export class Proxy implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** Asked for every request. */
  judge: (seen: Seen) => Verdict = () => "pass";
  readonly #server = createServer((incoming, outgoing) => this.#handle(incoming, outgoing));
  readonly #target: string;

  private constructor(target: string) {
    this.#target = target;
  }

  /** `target`: the origin of the server. */
  static async open(target: string): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy is closed");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Forgets what it saw, and does no harm any more. */
  reset(): void {
    this.seen.length = 0;
    this.judge = () => "pass";
  }

  /** Parts of uploads that were sent, by number. */
  sentParts(): readonly number[] {
    return this.seen
      .filter(({ method, path }) => method === "PUT" && path.startsWith("/_blobs/parts/"))
      .map(({ path }) => Number(/\/(\d+)\?/.exec(path)?.[1]));
  }

  #handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method = "", url = "", headers } = incoming;
    const { authorization, range } = headers;
    const target = headers["x-amz-target"]?.toString();
    const seen = { method, path: url, authorization, range, target };
    this.seen.push(seen);
    const verdict = this.judge(seen);
    outgoing.on("error", () => undefined);
    incoming.on("error", () => undefined);
    if (verdict === "stall") return;
    if (verdict === "reset") {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (typeof verdict === "object" && "status" in verdict) {
      incoming.resume();
      incoming.on("end", () => outgoing.writeHead(verdict.status).end(verdict.body));
      return;
    }
    const onward = request(this.#target + url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      if (verdict === "pass") answer.pipe(outgoing);
      else if (verdict === "damage") void damage(answer, outgoing);
      else void cut(answer, outgoing, verdict.cutAfterBytes);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

async function damage(answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let first = true;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    if (first) bytes[0] = (bytes[0] ?? 0) ^ 0xff;
    first = false;
    outgoing.write(bytes);
  }
  outgoing.end();
}

async function cut(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  bytes: number,
): Promise<void> {
  let left = bytes;
  for await (const chunk of answer) {
    const piece = Buffer.from(chunk).subarray(0, left);
    left -= piece.length;
    await new Promise((resolve) => outgoing.write(piece, resolve));
    if (left === 0) break;
  }
  outgoing.destroy();
}
