import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import type { Noise } from "./noise.ts";
import type { OciServer } from "./servers.ts";
import { authorization } from "./wire.ts";

/** Connections that stay open, as clients keep theirs. */
export const newAgent = (connections: number): Agent =>
  new Agent({ keepAlive: true, maxSockets: connections });

/**
 * Pushes a blob as docker 29, buildx and oras do: POST for a session, then one PUT of known length.
 *
 * @throws {Error} unless the answers are 202 and 201.
 */
export async function pushBlob(
  server: OciServer,
  agent: Agent,
  image: string,
  noise: Noise,
): Promise<void> {
  const begin = `/v2/${server.prefix}${image}/blobs/uploads/`;
  const begun = await send(server, agent, { method: "POST", path: begin, status: 202 });
  const location = begun.headers.location;
  if (location === undefined) throw new Error(`${server.name} gave no Location`);
  const url = new URL(location, `http://127.0.0.1:${server.port}${begin}`);
  url.searchParams.set("digest", noise.digest);
  const path = `${url.pathname}${url.search}`;
  await send(server, agent, { method: "PUT", path, status: 201, body: noise });
}

interface Sending {
  readonly method: string;
  readonly path: string;
  /** Anything else is an error. */
  readonly status: number;
  readonly body?: Noise;
}

async function send(server: OciServer, agent: Agent, sending: Sending): Promise<IncomingMessage> {
  const { method, path, status, body } = sending;
  const outgoing = request({
    agent,
    host: "127.0.0.1",
    port: server.port,
    method,
    path,
    headers: {
      ...authorization(server),
      "Content-Length": String(body?.sizeBytes ?? 0),
      "Content-Type": "application/octet-stream",
    },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
  answered.catch(() => undefined);
  for (const piece of body?.pieces() ?? []) {
    if (!outgoing.write(piece)) await Promise.race([once(outgoing, "drain"), answered]);
  }
  outgoing.end();
  const answer = await answered;
  answer.setEncoding("utf8");
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  if (answer.statusCode === status) return answer;
  throw new Error(`${server.name}: ${method} ${path} answered ${answer.statusCode}: ${text}`);
}
