import type { Output } from "./output.ts";
import { Progress } from "./progress.ts";
import type { UploadView } from "./schemas.ts";
import { formatBytes, formatDuration, formatTime } from "./text.ts";
import type { PushObserver } from "./transfer/push-file.ts";

/** Shows how a push of one file goes, on standard error. */
export class PushDisplay implements PushObserver {
  readonly #output: Output;
  readonly #enabled: boolean;
  readonly #label: string;
  #progress: Progress | undefined;
  #sizeBytes = 0;
  #upload: UploadView | undefined;

  /** `enabled`: draw progress; words that matter are shown in any case. */
  constructor(output: Output, enabled: boolean, label: string) {
    this.#output = output;
    this.#enabled = enabled;
    this.#label = label;
  }

  /** Shows progress while `work` reads the file. */
  async hashing<T>(
    sizeBytes: number,
    work: (onBytes: (bytes: number) => void) => Promise<T>,
  ): Promise<T> {
    this.#sizeBytes = sizeBytes;
    this.#start(`Reading ${this.#label}`, sizeBytes, 0);
    try {
      return await work((bytes) => this.bytes(bytes));
    } finally {
      this.end();
    }
  }

  began(upload: UploadView, arrivedBytes: number): void {
    this.#upload = upload;
    if (arrivedBytes > 0) {
      this.note(
        `Going on with the interrupted push: ${formatBytes(arrivedBytes)} of ${formatBytes(this.#sizeBytes)} are there.`,
      );
    } else if (this.#enabled && this.#output.stderr.isTTY !== true && upload.partCount > 1) {
      this.note(
        `Sending ${this.#label} (${formatBytes(this.#sizeBytes)}) in ${upload.partCount} parts.`,
      );
    }
    this.#start(this.#label, this.#sizeBytes, arrivedBytes);
  }

  bytes(bytes: number): void {
    this.#progress?.add(bytes);
  }

  verifying(): void {
    const summary = this.#progress?.summary();
    this.end();
    if (summary === undefined || this.#upload?.partCount === 1) return;
    const { seconds, bytesPerSecond } = summary;
    this.note(
      `Sent ${this.#label} in ${formatDuration(seconds)} (${formatBytes(Math.round(bytesPerSecond))}/s); the server verifies it.`,
    );
  }

  note(text: string): void {
    this.#progress?.clear();
    this.#output.note(text);
  }

  /** What of an interrupted push is not lost, as a sentence. */
  kept(): string {
    return this.#upload === undefined
      ? ""
      : ` The parts that arrived are kept until ${formatTime(this.#upload.expiresAt)} UTC.`;
  }

  end(): void {
    this.#progress?.clear();
    this.#progress = undefined;
  }

  #start(label: string, totalBytes: number, doneBytes: number): void {
    if (!this.#enabled) return;
    this.#progress = new Progress(this.#output.stderr, {
      label,
      total: totalBytes,
      done: doneBytes,
    });
  }
}
