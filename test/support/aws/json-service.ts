import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** Answers one operation of an AWS service that speaks JSON; what it throws is answered as that service's exception. */
export type Operation = (input: Record<string, unknown>) => Record<string, unknown>;

/** An exception by its AWS name, such as `NotFoundException`. */
export class ServiceException extends Error {}

export interface JsonService extends AsyncDisposable {
  readonly url: string;
  /** How often each operation was called. */
  readonly calls: Map<string, number>;
}

/**
 * A service on a free port of 127.0.0.1 that speaks AWS JSON: the operation stands in `X-Amz-Target`, after its service
 * (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html).
 */
export async function startJsonService(
  operations: Readonly<Record<string, Operation>>,
): Promise<JsonService> {
  const calls = new Map<string, number>();
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing);
  });
  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { status, body } = await outcome(incoming);
    outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
    outgoing.end(JSON.stringify(body));
  }
  async function outcome(incoming: IncomingMessage) {
    const name = String(incoming.headers["x-amz-target"]).split(".").at(-1) ?? "";
    calls.set(name, (calls.get(name) ?? 0) + 1);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    const operation = operations[name];
    try {
      if (operation === undefined) throw new ServiceException("UnknownOperationException");
      return { status: 200, body: operation(JSON.parse(Buffer.concat(chunks).toString("utf8"))) };
    } catch (error) {
      const type = error instanceof ServiceException ? error.message : "InternalException";
      return { status: 400, body: { __type: type, message: String(error) } };
    }
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
