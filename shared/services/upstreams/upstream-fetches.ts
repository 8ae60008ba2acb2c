import { setTimeout as sleep } from "node:timers/promises";
import { UnavailableError, UpstreamFailedError } from "../../errors.ts";
import type { FetchOrder, FetchQueue } from "../../ports/fetch-queue.ts";
import {
  deleteFetchStateOp,
  fetchName,
  fetchOrderKey,
  putFetchStateOp,
  toFetchState,
} from "../../records/fetch-orders.ts";
import type { Stores } from "../stores.ts";
import { BeyondLimitError, type FetchLimit } from "./fetch-limit.ts";
import { SingleFlight } from "./single-flight.ts";

/** How long fetches of files may take in this process, and who does what takes longer. */
export interface FetchLimits {
  /** Longest that one file may take here. */
  readonly maxMs: number;
  /** Absent: what takes longer fails. */
  readonly rest?: {
    readonly queue: FetchQueue;
    /** Larger files are not begun here. */
    readonly maxBytes: number;
    /** How long a request may take, with a file that somebody else fetches, before it answers that it is on its way. */
    readonly waitMs: number;
  };
}

const WAIT_FOR_OTHERS_MS = 15 * 60_000;
/** An order that nobody has carried out for so long was lost: the next request orders again. */
const ORDER_MS = 20 * 60_000;
const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 1_000;
/** Clients that heed it come back when most files are there. */
const RETRY_AFTER_SECONDS = 10;

/** How to see what is here of a file. */
interface Look<T> {
  readonly find: () => Promise<T | undefined>;
  /** What is here may be an older state of it, and is not enough. */
  readonly changes?: boolean;
}

/** Files of upstreams of one sort, each fetched once at a time, however many ask and wherever they do. */
export class UpstreamFetches<T> {
  readonly #stores: Pick<Stores, "table" | "now">;
  readonly #limits: FetchLimits | undefined;
  readonly #flights: SingleFlight<T>;

  /** `limits`: absent where a fetch may take as long as it takes. */
  constructor(stores: Pick<Stores, "table" | "now">, limits: FetchLimits | undefined) {
    this.#stores = stores;
    this.#limits = limits;
    this.#flights = new SingleFlight(stores, limits?.rest?.waitMs ?? WAIT_FOR_OTHERS_MS);
  }

  /**
   * What `work` gives, or what is here already. Work beyond the limits of this process
   * is ordered elsewhere and waited for, as long as there is time.
   *
   * @throws {UnavailableError} when it is still on its way, {@link UpstreamFailedError} when it took too long, or
   *   failed elsewhere a short while ago; whatever `work` throws.
   */
  async run(order: FetchOrder, look: Look<T>, work: (limit: FetchLimit) => Promise<T>): Promise<T> {
    const limits = this.#limits;
    const before = async () => (look.changes === true ? undefined : look.find());
    if (limits?.rest === undefined) {
      return this.#flights.run(fetchName(order), before, () => this.#whole(order, work));
    }
    const { queue, maxBytes, waitMs } = limits.rest;
    const endsAtMs = this.#stores.now() + waitMs;
    try {
      return await this.#flights.run(
        fetchName(order),
        async () => (await before()) ?? (await this.#requireNoOrder(order)),
        () => this.#begun(order, queue, () => within(limits.maxMs, maxBytes, work)),
      );
    } catch (error) {
      if (!(error instanceof OrderedError)) throw error;
      return this.#arrived(order, look, endsAtMs);
    }
  }

  async #whole(order: FetchOrder, work: (limit: FetchLimit) => Promise<T>): Promise<T> {
    if (this.#limits === undefined) return work({ maxBytes: Infinity });
    const { maxMs } = this.#limits;
    try {
      return await within(maxMs, Infinity, work);
    } catch (error) {
      if (!(error instanceof BeyondLimitError)) throw error;
      throw new UpstreamFailedError(
        `${order.path} takes longer than ${Math.round(maxMs / 60_000)} minutes to come from its upstream, which is more than can be waited for here.`,
        TOO_LONG_AGAIN_SECONDS,
      );
    }
  }

  /** @throws {OrderedError} for work that does not fit, when it has been ordered. */
  async #begun(order: FetchOrder, queue: FetchQueue, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BeyondLimitError)) throw error;
    }
    const untilMs = this.#stores.now() + ORDER_MS;
    // First: who carries it out removes it, and may be quick.
    await this.#stores.table.write([
      putFetchStateOp(order, { state: "ordered", why: "", untilMs }),
    ]);
    try {
      await queue.send(order);
    } catch (error) {
      await this.#stores.table.write([deleteFetchStateOp(order)]);
      throw error;
    }
    throw new OrderedError();
  }

  async #requireNoOrder(order: FetchOrder): Promise<undefined> {
    if (await this.#isOrdered(order)) throw new OrderedError();
    return undefined;
  }

  /** @throws {UpstreamFailedError} when it failed. */
  async #isOrdered(order: FetchOrder): Promise<boolean> {
    const item = await this.#stores.table.get(fetchOrderKey(order));
    if (item === undefined) return false;
    const { state, why, untilMs } = toFetchState(item);
    if (state === "ordered") return true;
    const seconds = Math.max(1, Math.ceil((untilMs - this.#stores.now()) / 1000));
    throw new UpstreamFailedError(why, seconds);
  }

  async #arrived(
    order: FetchOrder,
    { find, changes = false }: Look<T>,
    endsAtMs: number,
  ): Promise<T> {
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LAST_LOOK_MS)) {
      // In this order: an order ends when its file is here.
      const isOrdered = await this.#isOrdered(order);
      const found = isOrdered && changes ? undefined : await find();
      if (found !== undefined) return found;
      if (!isOrdered || this.#stores.now() + waitMs > endsAtMs) break;
      await sleep(waitMs);
    }
    throw new UnavailableError(
      `${order.path} is being fetched from its upstream; try again.`,
      RETRY_AFTER_SECONDS,
    );
  }
}

/** What took too long takes as long again, and costs as much. */
const TOO_LONG_AGAIN_SECONDS = 3600;

/** Somebody else is to fetch it. */
class OrderedError extends Error {
  override readonly name = "OrderedError";
}

/** @throws {BeyondLimitError} when it takes longer. */
async function within<T>(
  maxMs: number,
  maxBytes: number,
  work: (limit: FetchLimit) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new BeyondLimitError()), maxMs);
  try {
    return await work({ signal: controller.signal, maxBytes });
  } finally {
    clearTimeout(timer);
  }
}
