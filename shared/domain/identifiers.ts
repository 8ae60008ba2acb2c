import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Random base 62 text; each character holds 5.95 bits. */
export function randomText(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      // 248 is the largest multiple of 62 in a byte: dropping the rest keeps every character equally likely.
      if (byte < 248 && text.length < length) text += ALPHABET.charAt(byte % 62);
    }
  }
  return text;
}

let lastMs = 0;
let counter = 0;

/**
 * An identifier that sorts by the time it was made (10 base-36 digits of milliseconds, then a counter for
 * the order within one process and millisecond, then randomness).
 */
export function timeOrderedId(nowMs: number): string {
  counter = nowMs === lastMs ? counter + 1 : 0;
  lastMs = nowMs;
  return (
    nowMs.toString(36).padStart(10, "0") + counter.toString(36).padStart(4, "0") + randomText(10)
  );
}

/** Unix milliseconds as text that sorts by time. */
export function sortableMs(atMs: number): string {
  return String(atMs).padStart(15, "0");
}

/** Writes a number in base 62, at least `length` characters. */
export function base62(value: number, length: number): string {
  let rest = value;
  let text = "";
  do {
    text = ALPHABET.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  } while (rest > 0);
  return text.padStart(length, "0");
}
