import { connect, type Socket } from "node:net";
import { ResponseReader } from "./response-reader.ts";

/** Each connection reads into one buffer again and again: the bytes themselves interest nobody. */
const READ_BYTES = 256 * 1024;
/** Longer than any single request may take; then the server counts as stuck. */
const STUCK_MS = 120_000;

/** A closed loop: each connection sends its next request when the answer to its last one has arrived whole. */
export interface Drive {
  readonly port: number;
  readonly connections: number;
  /** The next request of a connection (counted from 0) as bytes; `undefined` ends that connection. */
  readonly next: (connection: number) => Uint8Array | undefined;
  /** No connection sends another request after this. Absent: until `next` has no more. */
  readonly durationMs?: number;
  /** Any other status ends the run with an error, since it would measure something else. */
  readonly expectStatus: number;
  /** All requests are HEAD, so that no answer has a body whatever length it says. */
  readonly isHead?: boolean;
}

export interface DriveResult {
  readonly requests: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly bodyBytes: number;
  /** Milliseconds from sending a request to the end of its answer, ascending. */
  readonly latenciesMs: Float64Array;
}

/**
 * Runs a load over plain sockets with requests that were written beforehand. It gets 100,000 answers a second
 * from nginx where a bare Node server gives 75,000, so that it is not what is measured. A server that closes its
 * connections gets new ones.
 *
 * @throws {Error} on a status that was not expected, a broken connection, or no answer in {@link STUCK_MS}.
 */
export async function drive(options: Drive): Promise<DriveResult> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const deadline = startedAt + (options.durationMs ?? Number.POSITIVE_INFINITY);
  const bytes = await Promise.all(
    Array.from({ length: options.connections }, (_, connection) =>
      driveConnection(options, connection, deadline, latencies),
    ),
  );
  return {
    requests: latencies.length,
    seconds: (performance.now() - startedAt) / 1000,
    bodyBytes: bytes.reduce((sum, some) => sum + some, 0),
    latenciesMs: Float64Array.from(latencies).sort(),
  };
}

/** Resolves with the bytes of bodies that arrived. */
async function driveConnection(
  options: Drive,
  connection: number,
  deadline: number,
  latencies: number[],
): Promise<number> {
  const reader = new ResponseReader(options.isHead !== true);
  let bodyBytes = 0;
  let sentAt = 0;
  return new Promise((resolve, reject) => {
    const send = (socket: Socket | undefined): void => {
      const now = performance.now();
      const request = now < deadline ? options.next(connection) : undefined;
      if (request === undefined) {
        socket?.destroy();
        resolve(bodyBytes);
        return;
      }
      sentAt = now;
      (socket ?? open()).write(request);
    };
    const receive = (bytes: Buffer, socket: Socket): void => {
      if (!reader.push(bytes)) return;
      latencies.push(performance.now() - sentAt);
      bodyBytes += reader.bodyBytes;
      if (reader.status !== options.expectStatus) {
        socket.destroy(new Error(`answered ${reader.status} instead of ${options.expectStatus}`));
      } else if (reader.closes) {
        // As a client does; what a new connection takes is part of the next request.
        socket.removeListener("close", lost).destroy();
        send(undefined);
      } else send(socket);
    };
    const lost = (): void => reject(new Error("the server closed a connection"));
    const open = (): Socket => {
      const socket = openSocket(options.port, (bytes) => receive(bytes, socket));
      return socket.once("error", reject).once("close", lost);
    };
    send(undefined);
  });
}

function openSocket(port: number, receive: (bytes: Buffer) => void): Socket {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const socket: Socket = connect({
    host: "127.0.0.1",
    port,
    noDelay: true,
    onread: {
      buffer,
      callback: (length) => {
        try {
          receive(buffer.subarray(0, length));
        } catch (error) {
          socket.destroy(error instanceof Error ? error : new Error(String(error)));
        }
        return true;
      },
    },
  });
  socket.setTimeout(STUCK_MS, () => socket.destroy(new Error("the server does not answer")));
  return socket;
}
