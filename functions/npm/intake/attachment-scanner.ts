import { InvalidInputError, TooLargeError } from "../../../shared/errors.ts";

/** What a scanner finds: the text of an attachment's `data` string, as it stands between its quotes. */
export type ScanEvent =
  | { readonly kind: "begin"; readonly name: string }
  | { readonly kind: "text"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

export interface ScanLimits {
  /** Bytes of the document without the attachments that are taken out. */
  readonly maxResidualBytes: number;
  readonly maxDepth: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;

/** A key that matters is short; of a longer one only its length is kept. */
const MAX_KEY_BYTES = 1024;
/** `_attachments` > name > `data`. */
const DATA_DEPTH = 3;

/**
 * Reads the JSON of a publish as it arrives and takes the strings at `_attachments.<name>.data` out of it, so
 * that a tarball of any size never stands in memory. Everything else is kept as the residual, with `""` in
 * their place, for `JSON.parse`, which also finds whatever is wrong with the syntax.
 *
 * Provenance bundles (`*.sigstore`) stay in: npm sends them as JSON text, not as base64
 * (libnpmpublish/lib/publish.js).
 */
export class AttachmentScanner {
  readonly #limits: ScanLimits;
  readonly #residual: Uint8Array[] = [];
  #residualBytes = 0;
  #depth = 0;
  /** Whether the container at each depth is an object. */
  readonly #isObject: boolean[] = [];
  /** The key at each depth down to {@link DATA_DEPTH}. */
  readonly #path: (string | undefined)[] = [];
  #expectsKey = false;
  #mode: "structure" | "key" | "value" | "data" = "structure";
  /** Backslashes at the end of the last chunk, within a string. */
  #backslashes = 0;
  #key: Uint8Array[] = [];
  #keyBytes = 0;

  constructor(limits: ScanLimits) {
    this.#limits = limits;
  }

  /** Takes the next bytes. @throws {InvalidInputError} | {TooLargeError} */
  *feed(chunk: Uint8Array): Generator<ScanEvent> {
    let position = 0;
    while (position < chunk.length) {
      if (this.#mode === "structure") {
        position = this.#readStructure(chunk, position);
        if (this.#inData()) yield { kind: "begin", name: this.#path[2] ?? "" };
        continue;
      }
      const end = this.#endOfString(chunk, position);
      const stop = end < 0 ? chunk.length : end;
      if (this.#mode === "data") {
        if (stop > position) yield { kind: "text", bytes: chunk.subarray(position, stop) };
        if (end < 0) return;
        yield { kind: "end" };
        this.#keep(chunk.subarray(end, end + 1));
      } else {
        this.#keepString(chunk, position, end < 0 ? stop : end + 1);
        if (end < 0) return;
        if (this.#mode === "key") this.#endKey();
      }
      this.#mode = "structure";
      position = end + 1;
    }
  }

  /** The document without its tarballs. @throws {InvalidInputError} when it ends within a string. */
  residual(): string {
    if (this.#mode !== "structure") {
      throw new InvalidInputError(
        "The request body ends in the middle of a string; send all of it.",
      );
    }
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(this.#residual));
    } catch {
      throw new InvalidInputError("The request body is not valid UTF-8.");
    }
  }

  /** Reads up to and with the quote that opens the next string; gives the position after it. */
  #readStructure(chunk: Uint8Array, start: number): number {
    for (let position = start; position < chunk.length; position++) {
      const byte = chunk[position];
      if (byte === QUOTE) {
        this.#keep(chunk.subarray(start, position + 1));
        this.#beginString();
        return position + 1;
      }
      if (byte === BRACE_OPEN || byte === BRACKET_OPEN) this.#enter(byte === BRACE_OPEN);
      else if (byte === BRACE_CLOSE || byte === BRACKET_CLOSE) this.#leave();
      else if (byte === COMMA) this.#expectsKey = this.#isObject[this.#depth] === true;
      else if (byte === COLON) this.#expectsKey = false;
    }
    this.#keep(chunk.subarray(start));
    return chunk.length;
  }

  #beginString(): void {
    this.#backslashes = 0;
    if (this.#expectsKey) {
      this.#mode = "key";
      this.#key = [];
      this.#keyBytes = 0;
    } else {
      this.#mode = this.#isDataPlace() ? "data" : "value";
    }
  }

  #inData(): boolean {
    return this.#mode === "data";
  }

  #isDataPlace(): boolean {
    const [, first, name, last] = this.#path;
    return (
      this.#depth === DATA_DEPTH &&
      first === "_attachments" &&
      last === "data" &&
      name !== undefined &&
      !name.endsWith(".sigstore") &&
      this.#isObject.slice(1, DATA_DEPTH + 1).every(Boolean)
    );
  }

  #enter(isObject: boolean): void {
    if (++this.#depth > this.#limits.maxDepth) {
      throw new InvalidInputError(
        `The JSON is nested more than ${this.#limits.maxDepth} levels deep.`,
      );
    }
    this.#isObject[this.#depth] = isObject;
    this.#path[this.#depth] = undefined;
    this.#expectsKey = isObject;
  }

  #leave(): void {
    if (this.#depth-- === 0) throw new InvalidInputError("The request body is not valid JSON.");
    this.#expectsKey = false;
  }

  /** Position of the quote that ends the string, or -1 when it is not in this chunk. */
  #endOfString(chunk: Uint8Array, start: number): number {
    let from = start;
    for (;;) {
      const quote = chunk.indexOf(QUOTE, from);
      const stop = quote < 0 ? chunk.length : quote;
      let before = stop - 1;
      while (before >= from && chunk[before] === BACKSLASH) before--;
      const run = stop - 1 - before;
      const backslashes = before < from ? run + this.#backslashes : run;
      if (quote < 0) {
        this.#backslashes = backslashes;
        return -1;
      }
      this.#backslashes = 0;
      if (backslashes % 2 === 0) return quote;
      from = quote + 1;
    }
  }

  #keepString(chunk: Uint8Array, start: number, end: number): void {
    const bytes = chunk.subarray(start, end);
    this.#keep(bytes);
    if (this.#mode !== "key" || this.#depth > DATA_DEPTH) return;
    this.#keyBytes += bytes.length;
    if (this.#keyBytes <= MAX_KEY_BYTES) this.#key.push(bytes);
  }

  #endKey(): void {
    if (this.#depth > DATA_DEPTH) return;
    this.#path[this.#depth] =
      this.#keyBytes > MAX_KEY_BYTES ? undefined : decodeKey(Buffer.concat(this.#key));
  }

  #keep(bytes: Uint8Array): void {
    this.#residualBytes += bytes.length;
    if (this.#residualBytes > this.#limits.maxResidualBytes) {
      throw new TooLargeError("The package's metadata", this.#limits.maxResidualBytes);
    }
    this.#residual.push(bytes);
  }
}

/** The text of a key from what stands after its opening quote; a key may be written with escapes. */
function decodeKey(bytes: Buffer): string | undefined {
  try {
    const value: unknown = JSON.parse(`"${bytes.toString("utf8")}`);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
