const HEAD_END = "\r\n\r\n";
const MAX_HEAD_BYTES = 64 * 1024;
const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*(\d+)/i;
const CLOSES = /\r\nconnection:[ \t]*close/i;
const CHUNKED = /\r\ntransfer-encoding:[ \t]*chunked/i;

type Phase = "head" | "length" | "chunk-size" | "chunk" | "chunk-end" | "trailer";

/**
 * Reads the answers of one keep-alive connection, one after the other, and keeps nothing but their status and
 * size: a load generator must cost less than the servers it measures.
 * HTTP/1.1 with Content-Length or chunked bodies (RFC 9112, 6: https://www.rfc-editor.org/rfc/rfc9112#section-6);
 * answers that end with the connection are not understood.
 */
export class ResponseReader {
  status = 0;
  /** Of the body so far, without the framing of chunks. */
  bodyBytes = 0;
  /** The server ends the connection behind this answer. */
  closes = false;
  #phase: Phase = "head";
  #head = "";
  #line = "";
  #remaining = 0;
  readonly #hasBodies: boolean;

  /** @param hasBodies - false for answers to HEAD, which say a length that never comes. */
  constructor(hasBodies = true) {
    this.#hasBodies = hasBodies;
  }

  /** Takes what has arrived; true when it ends an answer. @throws {Error} for what is no such answer. */
  push(bytes: Buffer): boolean {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#phase === "head") offset = this.#readHead(bytes, offset);
      else if (this.#phase === "length" || this.#phase === "chunk") {
        offset = this.#skipBody(bytes, offset);
      } else offset = this.#readLine(bytes, offset);
      if (this.#phase === "head" && this.#head === "") return true;
    }
    return false;
  }

  #readHead(bytes: Buffer, start: number): number {
    const before = this.#head.length;
    this.#head += bytes.toString("latin1", start, Math.min(bytes.length, start + MAX_HEAD_BYTES));
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#head.length > MAX_HEAD_BYTES) throw new Error("the head of an answer never ends");
      return bytes.length;
    }
    const head = this.#head.slice(0, end);
    this.#head = "";
    this.status = Number(head.slice(9, 12));
    this.bodyBytes = 0;
    this.closes = CLOSES.test(head);
    this.#beginBody(head);
    return start + end + HEAD_END.length - before;
  }

  #beginBody(head: string): void {
    const length = CONTENT_LENGTH.exec(head)?.[1];
    const hasNoBody = !this.#hasBodies || this.status === 204 || this.status === 304;
    if (hasNoBody) return;
    if (length !== undefined) {
      this.#remaining = Number(length);
      if (this.#remaining > 0) this.#phase = "length";
    } else if (CHUNKED.test(head)) this.#phase = "chunk-size";
    else throw new Error(`an answer without a length:\n${head}`);
  }

  #skipBody(bytes: Buffer, start: number): number {
    const taken = Math.min(this.#remaining, bytes.length - start);
    this.#remaining -= taken;
    this.bodyBytes += taken;
    if (this.#remaining === 0) this.#phase = this.#phase === "chunk" ? "chunk-end" : "head";
    return start + taken;
  }

  #readLine(bytes: Buffer, start: number): number {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0) {
      this.#line += bytes.toString("latin1", start);
      return bytes.length;
    }
    const line = (this.#line + bytes.toString("latin1", start, end)).trimEnd();
    this.#line = "";
    if (this.#phase === "chunk-end") this.#phase = "chunk-size";
    else if (this.#phase === "chunk-size") {
      this.#remaining = Number.parseInt(line, 16);
      this.#phase = this.#remaining === 0 ? "trailer" : "chunk";
    } else if (line === "") this.#phase = "head";
    return end + 1;
  }
}
