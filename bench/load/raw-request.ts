export interface RawRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly path: string;
  /** In the order and spelling given; `Host` comes before them, and the length of a body after. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** A whole request to a port of 127.0.0.1 as it goes over the wire. */
export function rawRequest(port: number, { method, path, headers, body }: RawRequest): Uint8Array {
  const fields = {
    Host: `127.0.0.1:${port}`,
    ...headers,
    ...(body === undefined ? {} : { "Content-Length": String(body.length) }),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return body === undefined ? head : Buffer.concat([head, body]);
}
