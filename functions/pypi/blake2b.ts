const BLOCK_BYTES = 128;
const DIGEST_BYTES = 32;
const ROUNDS = 12;

/** https://www.rfc-editor.org/rfc/rfc7693#section-2.6: the high and low halves of each word. */
const IV = new Uint32Array([
  0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a,
  0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19,
]);

/** https://www.rfc-editor.org/rfc/rfc7693#section-2.7 */
const SIGMA = [
  "0123456789abcdef",
  "ea489fd61c02b753",
  "b8c052fdae367194",
  "7931dcbe265a40f8",
  "905724afe1bc683d",
  "2c6a0b834d75fe19",
  "c51fed4a0763928b",
  "db7ec13950f4862a",
  "6fe9b308c2d714a5",
  "a2847615fb9e3cd0",
].map((row) => Uint8Array.from(row, (digit) => 2 * Number.parseInt(digit, 16)));

/**
 * BLAKE2b with a digest of 256 bits (RFC 7693), which clients of the public index send beside SHA-256. Node's
 * OpenSSL has only the one of 512 bits, which is no extension of this.
 */
export class Blake2b256 {
  readonly #state = Uint32Array.from(IV);
  readonly #work = new Uint32Array(32);
  readonly #words = new Uint32Array(32);
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #view = new DataView(this.#block.buffer);
  #filled = 0;
  #lengthBytes = 0;

  constructor() {
    const parameters = 0x01010000 ^ DIGEST_BYTES;
    this.#state[0] = (this.#state[0] ?? 0) ^ parameters;
  }

  update(bytes: Uint8Array): this {
    let at = 0;
    while (at < bytes.length) {
      // The last block is compressed with a mark, so that a full one waits until more comes.
      if (this.#filled === BLOCK_BYTES) {
        this.#lengthBytes += BLOCK_BYTES;
        this.#compress(false);
        this.#filled = 0;
      }
      const take = Math.min(BLOCK_BYTES - this.#filled, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
    }
    return this;
  }

  /** Lower-case hexadecimal; ends the hash. */
  digest(): string {
    this.#lengthBytes += this.#filled;
    this.#block.fill(0, this.#filled);
    this.#compress(true);
    const bytes = Buffer.alloc(DIGEST_BYTES);
    for (let at = 0; at < DIGEST_BYTES; at += 4) {
      bytes.writeUInt32LE(this.#state[at / 4] ?? 0, at);
    }
    return bytes.toString("hex");
  }

  #compress(isLast: boolean): void {
    const v = this.#work;
    const state = this.#state;
    v.set(state);
    v.set(IV, 16);
    v[24] = (v[24] ?? 0) ^ (this.#lengthBytes % 2 ** 32);
    v[25] = (v[25] ?? 0) ^ Math.floor(this.#lengthBytes / 2 ** 32);
    if (isLast) {
      v[28] = ~(v[28] ?? 0);
      v[29] = ~(v[29] ?? 0);
    }
    for (let word = 0; word < 32; word++) this.#words[word] = this.#view.getUint32(4 * word, true);
    for (let round = 0; round < ROUNDS; round++) mixRound(v, this.#words, SIGMA[round % 10]);
    for (let word = 0; word < 16; word++) {
      state[word] = (state[word] ?? 0) ^ (v[word] ?? 0) ^ (v[word + 16] ?? 0);
    }
  }
}

function mixRound(v: Uint32Array, words: Uint32Array, order: Uint8Array | undefined): void {
  if (order === undefined) return;
  const at = (position: number): number => order[position] ?? 0;
  mix(v, words, 0, 8, 16, 24, at(0), at(1));
  mix(v, words, 2, 10, 18, 26, at(2), at(3));
  mix(v, words, 4, 12, 20, 28, at(4), at(5));
  mix(v, words, 6, 14, 22, 30, at(6), at(7));
  mix(v, words, 0, 10, 20, 30, at(8), at(9));
  mix(v, words, 2, 12, 22, 24, at(10), at(11));
  mix(v, words, 4, 14, 16, 26, at(12), at(13));
  mix(v, words, 6, 8, 18, 28, at(14), at(15));
}

/** The G of RFC 7693, 3.1, on halves of words: JavaScript has no fast integers of 64 bits. */
function mix(
  v: Uint32Array,
  m: Uint32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  x: number,
  y: number,
): void {
  add(v, a, v[b] ?? 0, v[b + 1] ?? 0);
  add(v, a, m[x] ?? 0, m[x + 1] ?? 0);
  rotate(v, d, a, 32);
  add(v, c, v[d] ?? 0, v[d + 1] ?? 0);
  rotate(v, b, c, 24);
  add(v, a, v[b] ?? 0, v[b + 1] ?? 0);
  add(v, a, m[y] ?? 0, m[y + 1] ?? 0);
  rotate(v, d, a, 16);
  add(v, c, v[d] ?? 0, v[d + 1] ?? 0);
  rotate(v, b, c, 63);
}

function add(v: Uint32Array, to: number, low: number, high: number): void {
  const sum = (v[to] ?? 0) + low;
  v[to] = sum;
  v[to + 1] = (v[to + 1] ?? 0) + high + (sum > 0xffffffff ? 1 : 0);
}

/** `v[to] = (v[to] ^ v[from]) >>> bits`, rotating. */
function rotate(v: Uint32Array, to: number, from: number, bits: 16 | 24 | 32 | 63): void {
  const low = (v[to] ?? 0) ^ (v[from] ?? 0);
  const high = (v[to + 1] ?? 0) ^ (v[from + 1] ?? 0);
  if (bits === 32) {
    v[to] = high;
    v[to + 1] = low;
  } else if (bits === 63) {
    v[to] = (low << 1) | (high >>> 31);
    v[to + 1] = (high << 1) | (low >>> 31);
  } else {
    v[to] = (low >>> bits) | (high << (32 - bits));
    v[to + 1] = (high >>> bits) | (low << (32 - bits));
  }
}
