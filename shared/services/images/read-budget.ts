/** What one reading of archives may cost; none of it can be made cheaper by how an archive was packed. */
export interface ReadLimits {
  readonly maxEntries: number;
  /** Of all paths together. */
  readonly maxPathCharacters: number;
  /** After decompression. */
  readonly maxBytes: number;
  readonly maxMs: number;
}

/** A limit was reached; its message is a sentence for people. */
export class BudgetExceededError extends Error {
  override readonly name = "BudgetExceededError";
}

/** Counts one reading against its limits. */
export class ReadBudget {
  readonly #limits: ReadLimits;
  readonly #startedAt = performance.now();
  #entries = 0;
  #characters = 0;
  #bytes = 0;

  constructor(limits: ReadLimits) {
    this.#limits = limits;
  }

  /** @throws {BudgetExceededError} */
  countBytes(bytes: number): void {
    const { maxBytes, maxMs } = this.#limits;
    this.#bytes += bytes;
    if (this.#bytes > maxBytes) {
      throw new BudgetExceededError(`Reading stopped after ${maxBytes} bytes, unpacked.`);
    }
    if (performance.now() - this.#startedAt > maxMs) {
      throw new BudgetExceededError(`Reading stopped after ${maxMs / 1000} seconds.`);
    }
  }

  /** @throws {BudgetExceededError} */
  countEntry(path: string): void {
    const { maxEntries, maxPathCharacters } = this.#limits;
    this.#entries++;
    this.#characters += path.length;
    if (this.#entries > maxEntries) {
      throw new BudgetExceededError(`Reading stopped after ${maxEntries} entries.`);
    }
    if (this.#characters > maxPathCharacters) {
      throw new BudgetExceededError(
        `Reading stopped after ${maxPathCharacters} characters of file names.`,
      );
    }
  }
}
