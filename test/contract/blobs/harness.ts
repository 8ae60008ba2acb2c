import { createHash, randomBytes } from "node:crypto";
import type { Blobs, ByteStream, Ticket } from "../../../shared/ports/blobs.ts";

/** A store under test, and what its port does not show. */
export interface BlobsUnderTest {
  readonly blobs: Blobs;
  /** What tickets' paths are relative to; of no consequence where they are absolute. */
  readonly origin: string;
  /** Names of temporary files, staged objects and unfinished uploads: empty when nothing is left behind. */
  leftovers(): Promise<readonly string[]>;
  /** Resolution of `storedAtMs`. */
  readonly clockStepMs: number;
}

export type GetStore = () => BlobsUnderTest;

export const KIB = 1024;
export const MIB = 1024 * KIB;

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Bytes that no other test stores. */
export function freshBytes(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

/** The bytes as a stream of chunks. */
export function streamOf(bytes: Uint8Array, chunkBytes = 64 * KIB): ByteStream {
  let position = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (position >= bytes.byteLength) return controller.close();
      controller.enqueue(bytes.subarray(position, position + chunkBytes));
      position += chunkBytes;
    },
  });
}

/** Gives the bytes and then fails. */
export function failingStream(bytes: Uint8Array): ByteStream {
  let position = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (position >= bytes.byteLength) throw new Error("the client went away");
      controller.enqueue(bytes.subarray(position, position + 64 * KIB));
      position += 64 * KIB;
    },
  });
}

/** All of a stream; `undefined` stays so. */
export async function bytesOf(stream: ByteStream | undefined): Promise<Buffer | undefined> {
  if (stream === undefined) return undefined;
  return Buffer.from(await new Response(stream).arrayBuffer());
}

/** Uses a ticket as its bearer would. */
export async function useTicket(
  store: BlobsUnderTest,
  ticket: Ticket,
  request: { body?: Uint8Array; headers?: Record<string, string>; method?: string } = {},
): Promise<Response> {
  return fetch(new URL(ticket.url, store.origin), {
    method: request.method ?? ticket.method,
    headers: { ...ticket.headers, ...request.headers },
    // A view on a plain ArrayBuffer: what fetch takes by its type.
    ...(request.body === undefined ? {} : { body: Uint8Array.from(request.body) }),
  });
}

export const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
