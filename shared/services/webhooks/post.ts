import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  AddressRefusedError,
  addressProblem,
  checkedLookup,
  literalAddress,
} from "../../addresses.ts";

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Loopback, private networks and plain http are fine. */
  readonly allowPrivate: boolean;
  /** Until the connection stands, TLS included. */
  readonly connectMs: number;
  /** For everything, the connection included. */
  readonly totalMs: number;
  /** Ends the attempt early. */
  readonly signal?: AbortSignal;
}

/** Bytes of an answer that are read, and thrown away, before the connection is cut. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * POSTs to an address that somebody else chose: only to addresses that are allowed, over a connection of its
 * own, following no redirect and keeping nothing of the answer but its status.
 *
 * @returns the HTTP status, whatever it is.
 * @throws {AddressRefusedError} | Error when there is no answer in time; the signal's reason when it was aborted.
 */
export async function post(url: URL, options: PostOptions): Promise<number> {
  const { allowPrivate, signal } = options;
  const address = literalAddress(url);
  const problem = address === undefined ? undefined : addressProblem(address, allowPrivate);
  if (problem !== undefined) throw new AddressRefusedError(`${address} ${problem}`);
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:")) {
    throw new AddressRefusedError("only https is allowed here");
  }
  const limit = new AbortController();
  const timers = [
    setTimeout(() => limit.abort(new Error("no answer in time")), options.totalMs),
    setTimeout(() => limit.abort(new Error("no connection in time")), options.connectMs),
  ];
  const stopping = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
  try {
    return await exchange(url, options, stopping, () => clearTimeout(timers[1]));
  } catch (error) {
    // What the socket says of an abort is only that there was one.
    if (stopping.aborted) throw stopping.reason;
    throw error;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

function exchange(
  url: URL,
  { headers, body, allowPrivate }: PostOptions,
  signal: AbortSignal,
  connected: () => void,
): Promise<number> {
  const settings: RequestOptions = {
    method: "POST",
    headers: { ...headers, "content-length": Buffer.byteLength(body) },
    lookup: checkedLookup(allowPrivate),
    // No pool: what was connected to for one webhook is nothing to another.
    agent: false,
    signal,
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = send(url, settings, (answer) => resolve(readAway(answer)));
    request.on("error", reject);
    request.on("socket", (socket: Socket) => {
      socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", connected);
    });
    request.end(body);
  });
}

/** The status counts as soon as it is there: a body that is cut, endless or too late changes nothing. */
function readAway(answer: IncomingMessage): Promise<number> {
  const status = answer.statusCode ?? 0;
  return new Promise((resolve) => {
    let bytes = 0;
    const end = (): void => {
      answer.destroy();
      resolve(status);
    };
    answer.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > MAX_ANSWER_BYTES) end();
    });
    answer.once("end", end);
    answer.once("error", end);
    answer.once("close", end);
  });
}
