import { InvalidInputError } from "../../../shared/errors.ts";

/** What an encoder of JSON may write in place of a character of base64: `\/`, and `\u002B` as .NET does. */
const ESCAPE = /\\(?:\/|u([0-9a-fA-F]{4}))/g;
const UNFINISHED_ESCAPE = /\\(?:u[0-9a-fA-F]{0,3})?$/;

/**
 * Decodes the base64 (RFC 4648, section 4) of a JSON string piece by piece and, other than `Buffer`, takes no
 * other alphabet, no white space, no missing or wrong padding, and no second spelling of the same bytes:
 * what is checked is what was sent.
 */
export class Base64Decoder {
  #rest = "";
  #unfinishedEscape = "";
  #padded = false;

  /** The bytes that are complete with this piece. @throws {InvalidInputError} */
  write(piece: Uint8Array): Buffer {
    const text = this.#rest + this.#unescape(toLatin1(piece));
    const usable = text.length - (text.length % 4);
    this.#rest = text.slice(usable);
    if (usable === 0) return Buffer.alloc(0);
    if (this.#padded) throw notBase64("characters follow the padding");
    return this.#decode(text.slice(0, usable));
  }

  /** @throws {InvalidInputError} when the text ended in the middle of four characters. */
  end(): void {
    if (this.#rest !== "" || this.#unfinishedEscape !== "") {
      throw notBase64("its length is not a multiple of 4, padding included");
    }
  }

  #decode(text: string): Buffer {
    const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
    const bytes = Buffer.from(text, "base64");
    // `Buffer` skips what is not in its alphabet, which then shows in the length, and also reads `-` and `_`.
    const clean =
      bytes.length === (text.length / 4) * 3 - padding &&
      !text.includes("-") &&
      !text.includes("_") &&
      text.indexOf("=") === (padding === 0 ? -1 : text.length - padding);
    if (!clean) throw notBase64("it has characters outside the alphabet, or wrong padding");
    if (padding > 0) {
      this.#padded = true;
      const last = bytes.subarray(bytes.length - (3 - padding)).toString("base64");
      if (last !== text.slice(-4)) throw notBase64("bits are set that belong to no byte");
    }
    return bytes;
  }

  #unescape(piece: string): string {
    if (this.#unfinishedEscape === "" && !piece.includes("\\")) return piece;
    const text = this.#unfinishedEscape + piece;
    this.#unfinishedEscape = UNFINISHED_ESCAPE.exec(text)?.[0] ?? "";
    return text
      .slice(0, text.length - this.#unfinishedEscape.length)
      .replace(ESCAPE, (_, code?: string) =>
        code === undefined ? "/" : String.fromCharCode(Number.parseInt(code, 16)),
      );
  }
}

const toLatin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

const notBase64 = (why: string): InvalidInputError =>
  new InvalidInputError(`The attachment's data is not valid base64: ${why}.`, [
    { at: "/_attachments", problem: why },
  ]);
