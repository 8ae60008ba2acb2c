import type { ServerResponse } from "node:http";

/** Reading less costs no more than its trip to the thread pool; an answer has two of these. */
const BUFFER_BYTES = 512 * 1024;
/** Kept for later answers: memory fresh from the system takes longer to get than the bytes to put there. */
const MAX_SPARE_BUFFERS = 16;

const spare: ArrayBuffer[] = [];

/** For a body that is read into buffers of the reader's own; `undefined` for any other. */
export function byteReaderOf(response: Response): ReadableStreamBYOBReader | undefined {
  try {
    return response.body?.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

/**
 * Sends an answer with the bytes of `reader`. They are read into buffers that serve again as soon as the kernel has
 * what is in them; while one is sent the other is read. Resolves when all is sent.
 *
 * @throws whatever the stream or the connection failed with. The connection is cut then, so that the client does not
 *   take what it has for the whole.
 */
export async function sendBytes(
  { status, headers }: Response,
  reader: ReadableStreamBYOBReader,
  outgoing: ServerResponse,
): Promise<void> {
  outgoing.writeHead(status, Object.fromEntries(headers));
  let sending = Promise.resolve(takeBuffer());
  let buffer = takeBuffer();
  try {
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      if (done) break;
      const sent = await sending;
      sending = write(outgoing, value);
      // It may fail while the next piece is read, and is met only after that.
      sending.catch(() => undefined);
      buffer = sent;
    }
    giveBack(await sending);
    outgoing.end();
  } catch (error) {
    await reader.cancel(error).catch(() => undefined);
    outgoing.destroy();
    throw error;
  }
}

/** Resolves with the buffer when the kernel has all of its bytes. */
async function write(
  outgoing: ServerResponse,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    outgoing.write(bytes, (error) => {
      if (error === null || error === undefined) resolve(bytes.buffer);
      else reject(error);
    });
  });
}

const takeBuffer = (): ArrayBuffer => spare.pop() ?? new ArrayBuffer(BUFFER_BYTES);

function giveBack(buffer: ArrayBuffer): void {
  if (spare.length < MAX_SPARE_BUFFERS && buffer.byteLength === BUFFER_BYTES) spare.push(buffer);
}
