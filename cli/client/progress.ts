import type { TextSink } from "./output.ts";
import { formatBytes, formatDuration, printable } from "./text.ts";

const REDRAW_MS = 100;
/** Between lines where there is no terminal to draw on, such as in CI. */
const LINE_MS = 10_000;
/** The rate is that of the last seconds, so that a stall shows. */
const WINDOW_MS = 5000;
const BAR_COLUMNS = 24;

export interface ProgressOptions {
  readonly label: string;
  readonly total: number;
  /** There before: counts as done, but not for the rate. */
  readonly done?: number;
  /** What is counted; default bytes. */
  readonly unit?: "bytes" | "items";
  /** Milliseconds; default `Date.now`. */
  readonly clock?: () => number;
}

interface Sample {
  readonly atMs: number;
  readonly amount: number;
}

/**
 * Shows how far a transfer, or work of many items, is, with rate and time left: a bar that is drawn again on a terminal, a line now
 * and then elsewhere.
 */
export class Progress {
  readonly #sink: TextSink;
  readonly #options: ProgressOptions;
  readonly #clock: () => number;
  readonly #samples: Sample[] = [];
  readonly #startedMs: number;
  #done: number;
  #moved = 0;
  #shownMs: number;
  #drawn = false;

  constructor(sink: TextSink, options: ProgressOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#done = options.done ?? 0;
    this.#startedMs = this.#clock();
    this.#shownMs = this.#startedMs;
    this.#samples.push({ atMs: this.#startedMs, amount: 0 });
  }

  /** Negative when bytes have to be sent again. */
  add(amount: number): void {
    this.#done += amount;
    this.#moved += amount;
    const nowMs = this.#clock();
    if (nowMs - this.#shownMs < (this.#sink.isTTY === true ? REDRAW_MS : LINE_MS)) return;
    this.#sample(nowMs);
    this.#shownMs = nowMs;
    this.#show();
  }

  /** Removes the bar, so that other text can follow. */
  clear(): void {
    if (this.#drawn) this.#sink.write("\r\u001B[2K");
    this.#drawn = false;
  }

  /** Seconds since the start, and bytes per second over all of them. */
  summary(): { readonly seconds: number; readonly bytesPerSecond: number } {
    const seconds = Math.max(0.001, (this.#clock() - this.#startedMs) / 1000);
    return { seconds, bytesPerSecond: Math.max(0, this.#moved) / seconds };
  }

  #sample(nowMs: number): void {
    this.#samples.push({ atMs: nowMs, amount: this.#moved });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? nowMs) <= nowMs - WINDOW_MS) {
      this.#samples.shift();
    }
  }

  #perSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return Math.max(0, ((last.amount - first.amount) * 1000) / (last.atMs - first.atMs));
  }

  #show(): void {
    const { label, total } = this.#options;
    const format = this.#options.unit === "items" ? String : formatBytes;
    const done = Math.max(0, Math.min(total, this.#done));
    const share = total === 0 ? 1 : done / total;
    const rate = this.#perSecond();
    const left = rate === 0 ? "--" : formatDuration((total - done) / rate);
    const numbers = `${String(Math.floor(share * 100)).padStart(3)}%  ${format(done)} of ${format(total)}  ${format(Math.round(rate))}/s  ETA ${left}`;
    if (this.#sink.isTTY !== true) {
      this.#sink.write(`${printable(label)}: ${numbers.trimStart()}\n`);
      return;
    }
    const filled = Math.round(share * BAR_COLUMNS);
    const bar = `[${"#".repeat(filled)}${"-".repeat(BAR_COLUMNS - filled)}]`;
    const columns = Math.max(20, this.#sink.columns || 80) - 1;
    const room = columns - bar.length - numbers.length - 3;
    const shortLabel = printable(label).slice(0, Math.max(0, room));
    const line = room >= 4 ? `${shortLabel} ${bar} ${numbers}` : numbers;
    this.#sink.write(`\r\u001B[2K${line.slice(0, columns)}`);
    this.#drawn = true;
  }
}
