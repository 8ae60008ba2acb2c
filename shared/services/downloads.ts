import { countDownloadsOp, downloadsKey } from "../records/downloads.ts";
import type { AvailableFile } from "./catalogue.ts";
import type { Stores } from "./stores.ts";

/** Versions counted between two flushes at most; beyond that the hot path flushes early. */
const MAX_PENDING = 10_000;

/**
 * Counts downloads in memory and adds them to the table now and then: a download writes nothing. What was
 * counted since the last flush is lost in a crash; these are statistics, not records.
 */
export class Downloads {
  readonly #stores: Stores;
  #pending = new Map<string, { readonly file: AvailableFile["file"]; count: number }>();

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  count({ file }: Pick<AvailableFile, "file">): void {
    const id = `${file.registryId}#${file.packageName}#${file.version}`;
    const known = this.#pending.get(id);
    if (known !== undefined) known.count++;
    else if (this.#pending.size < MAX_PENDING) this.#pending.set(id, { file, count: 1 });
  }

  /** Adds what was counted, each version in a write of its own. What cannot be written is counted again. */
  async flush(): Promise<void> {
    const pending = [...this.#pending];
    this.#pending = new Map();
    for (let start = 0; start < pending.length; start += 100) {
      const batch = pending.slice(start, start + 100);
      try {
        await this.#stores.table.write(
          batch.map(([, { file, count }]) =>
            countDownloadsOp(downloadsKey(file.registryId, file.packageName, file.version), count),
          ),
        );
      } catch (error) {
        this.#stores.log.warn("downloads.flush-failed", {
          versions: batch.length,
          why: String(error),
        });
        for (const [id, { file, count }] of batch) {
          const known = this.#pending.get(id);
          if (known === undefined) this.#pending.set(id, { file, count });
          else known.count += count;
        }
      }
    }
  }
}
