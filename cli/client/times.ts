import { usageError } from "./failures.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const FORMS =
  "Write a time like 2026-11-21 or 2026-11-21T05:00:00Z, or a span like 30m, 12h, 7d, 2w.";

/** Milliseconds of a span such as `12h`; `undefined` for other text. */
function spanMs(text: string): number | undefined {
  const match = /^(\d{1,6})([mhdw])$/.exec(text);
  const unit = UNIT_MS[match?.[2] ?? ""];
  return unit === undefined ? undefined : Number(match?.[1]) * unit;
}

/** A time that was written as such or as a span before now, in ISO 8601. @throws {CliError} */
export function pastTime(text: string, nowMs: number): string {
  return toIso(text, (span) => nowMs - span);
}

/** A time that was written as such or as a span from now, in ISO 8601. @throws {CliError} */
export function futureTime(text: string, nowMs: number): string {
  return toIso(text, (span) => nowMs + span);
}

function toIso(text: string, atSpan: (spanMs: number) => number): string {
  const span = spanMs(text);
  // Date.parse takes "1" and other surprises; only ISO dates are meant.
  const isIso = /^\d{4}-\d{2}-\d{2}(T|$)/.test(text);
  const atMs = span === undefined ? (isIso ? Date.parse(text) : Number.NaN) : atSpan(span);
  if (Number.isNaN(atMs)) throw usageError(`"${text}" is not a time.`, FORMS);
  return new Date(atMs).toISOString();
}
