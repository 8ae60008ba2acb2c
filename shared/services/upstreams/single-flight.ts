import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { randomText } from "../../domain/identifiers.ts";
import { UnavailableError } from "../../errors.ts";
import { endLeaseOp, extendLeaseOp, leaseKey, takeLeaseOp } from "../../records/leases.ts";
import { tryWrite } from "../conditional-write.ts";
import type { Stores } from "../stores.ts";

/** A process that died holds up the others for so long. */
const LEASE_SECONDS = 20;
const EXTEND_MS = 5_000;
const FIRST_LOOK_MS = 25;
const LAST_LOOK_MS = 500;

/**
 * Work that is done once, however many ask for it at the same time: callers in this process share one promise, other
 * processes wait for the lease to end and then look at what it left.
 */
export class SingleFlight<T> {
  readonly #stores: Pick<Stores, "table" | "now">;
  readonly #waitMs: number;
  readonly #running = new Map<string, Promise<T>>();
  readonly #owner = randomText(16);

  /** `waitMs`: how long another process may take before we give up. */
  constructor(stores: Pick<Stores, "table" | "now">, waitMs: number) {
    this.#stores = stores;
    this.#waitMs = waitMs;
  }

  /**
   * `found` gives what others have done meanwhile, or `undefined`; `work` does it, and what it throws is told to all who
   * wait in this process. Waiting ones in other processes try themselves.
   *
   * @throws {UnavailableError} when another process takes too long.
   */
  async run(name: string, found: () => Promise<T | undefined>, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const mine = this.#lead(hashed(name), found, work);
    this.#running.set(name, mine);
    try {
      return await mine;
    } finally {
      this.#running.delete(name);
    }
  }

  async #lead(
    lease: string,
    found: () => Promise<T | undefined>,
    work: () => Promise<T>,
  ): Promise<T> {
    const endsAtMs = this.#stores.now() + this.#waitMs;
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LAST_LOOK_MS)) {
      if (await this.#take(lease)) {
        try {
          // Somebody may have ended between our look and our lease.
          return (await found()) ?? (await this.#holding(lease, work));
        } finally {
          await this.#end(lease);
        }
      }
      if (this.#stores.now() >= endsAtMs) {
        throw new UnavailableError("This is being fetched from its upstream; try again.", 5);
      }
      await sleep(waitMs);
      // Only a lease that ended can have left something.
      if ((await this.#stores.table.get(leaseKey(lease))) !== undefined) continue;
      const left = await found();
      if (left !== undefined) return left;
    }
  }

  async #take(lease: string): Promise<boolean> {
    return tryWrite(this.#stores.table, [takeLeaseOp(lease, this.#owner, this.#expiry())]);
  }

  async #holding(lease: string, work: () => Promise<T>): Promise<T> {
    const timer = setInterval(() => {
      // A lease that could not be extended costs a second fetch at worst.
      tryWrite(this.#stores.table, [extendLeaseOp(lease, this.#owner, this.#expiry())]).catch(
        () => undefined,
      );
    }, EXTEND_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  async #end(lease: string): Promise<void> {
    // It ends by itself; what was done is done.
    await tryWrite(this.#stores.table, [endLeaseOp(lease, this.#owner)]).catch(() => undefined);
  }

  #expiry(): number {
    return Math.floor(this.#stores.now() / 1000) + LEASE_SECONDS;
  }
}

/** Names of packages and files together may be longer than a key. */
const hashed = (name: string): string => createHash("sha256").update(name).digest("base64url");
