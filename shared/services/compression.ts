import { promisify } from "node:util";
import {
  brotliCompress,
  brotliCompressSync,
  constants,
  deflateRaw,
  deflateRawSync,
  gunzip,
  gunzipSync,
  gzip,
  gzipSync,
  inflateRaw,
  inflateRawSync,
  type ZlibOptions,
} from "node:zlib";

const deflateAway = promisify(deflateRaw);
const inflateAway = promisify(inflateRaw);
const gunzipAway = promisify(gunzip);
const gzipAway = promisify(gzip);
const brotliAway = promisify(brotliCompress);

// A trip to the thread pool, with the stream objects that Node makes for it, takes longer than compressing a
// few kilobytes here; above this it is the other way round, and others would wait.
const SMALL_TEXT_BYTES = 32 * 1024;
/** Unpacks to about {@link SMALL_TEXT_BYTES} of JSON as packages have it. */
const SMALL_COMPRESSED_BYTES = 8 * 1024;

/** Raw deflate (RFC 1951). */
export async function deflate(text: Uint8Array, options: ZlibOptions = {}): Promise<Buffer> {
  return text.length <= SMALL_TEXT_BYTES
    ? deflateRawSync(text, options)
    : deflateAway(text, options);
}

/** Reverses {@link deflate}. @throws {Error} with a `code` of zlib's for what is not such a stream. */
export async function inflate(bytes: Uint8Array): Promise<Buffer> {
  return bytes.length <= SMALL_COMPRESSED_BYTES ? inflateRawSync(bytes) : inflateAway(bytes);
}

/** The text of a gzip member that we wrote ourselves. */
export async function unzip(bytes: Uint8Array): Promise<Buffer> {
  return bytes.length <= SMALL_COMPRESSED_BYTES ? gunzipSync(bytes) : gunzipAway(bytes);
}

/** The text as one gzip member. */
export async function compress(text: Uint8Array): Promise<Buffer> {
  return text.length <= SMALL_TEXT_BYTES ? gzipSync(text) : gzipAway(text);
}

/** The text in brotli, at a level that pays off for something compressed once and read often. */
export async function brotli(text: Uint8Array): Promise<Buffer> {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 5,
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    // Memory goes with the window, which by default is 4 MB for the smallest text.
    [constants.BROTLI_PARAM_LGWIN]: windowBits(text.length),
  };
  return text.length <= SMALL_TEXT_BYTES
    ? brotliCompressSync(text, { params })
    : brotliAway(text, { params });
}

/** Of the smallest window that holds all of a text, within what brotli allows. */
function windowBits(lengthBytes: number): number {
  const bits = Math.ceil(Math.log2(lengthBytes + 16));
  return Math.min(
    constants.BROTLI_DEFAULT_WINDOW,
    Math.max(constants.BROTLI_MIN_WINDOW_BITS, bits),
  );
}
