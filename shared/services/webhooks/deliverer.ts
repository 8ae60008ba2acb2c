import type { Lane } from "../../domain/webhook.ts";
import { ConditionFailedError } from "../../ports/table.ts";
import {
  claimLaneOp,
  dueLanesQuery,
  LANE_SHARDS,
  toLane,
} from "../../records/webhook-deliveries.ts";
import type { Stores } from "../stores.ts";
import { runLane } from "./lane.ts";
import type { SendOptions } from "./send.ts";

/** Longer than one run of a lane; a worker that died holds its lane for this long. */
const LEASE_MS = 90_000;
/** Receivers that are spoken to at once. */
const MAX_LANES = 16;
const LANES_A_SHARD = 50;
/** How often we look for more while a receiver lets us wait. */
const LOOK_AGAIN_MS = 250;

/**
 * Sends what is due. Each webhook is a lane of its own, held by one worker at a time: one that hangs costs its
 * own lane ten seconds, and the others nothing. May run in several processes at once.
 */
export class WebhookDeliverer {
  readonly #stores: Stores;
  readonly #options: SendOptions;

  constructor(stores: Stores, options: SendOptions) {
    this.#stores = stores;
    this.#options = options;
  }

  /**
   * Sends until nothing is due, or `signal` ends it: attempts under way are then broken off, and made again
   * by whoever comes next. Gives the number of attempts.
   */
  async deliverDue(signal?: AbortSignal): Promise<number> {
    const running = new Set<Promise<void>>();
    let attempts = 0;
    const stopped = (): boolean => signal?.aborted === true;
    try {
      while (!stopped()) {
        for (const lane of await this.#dueLanes()) {
          if (running.size >= MAX_LANES) break;
          const claimed = await this.#claim(lane);
          if (claimed === undefined) continue;
          const counting = async (): Promise<void> => {
            const count = await this.#run(claimed, signal);
            attempts += count;
          };
          const run = counting();
          running.add(run);
          void run.finally(() => running.delete(run));
        }
        if (running.size === 0) break;
        await settledWithin(running, LOOK_AGAIN_MS);
      }
    } finally {
      await Promise.all(running);
    }
    return attempts;
  }

  /** Never fails: what is wrong with one lane is logged, and its lease ends it. */
  async #run(lane: Lane, signal: AbortSignal | undefined): Promise<number> {
    try {
      return await runLane(this.#stores, this.#options, lane, signal);
    } catch (error) {
      this.#stores.log.error("webhooks.lane-failed", error, { webhook: lane.webhookId });
      return 0;
    }
  }

  async #dueLanes(): Promise<readonly Lane[]> {
    const { table, now } = this.#stores;
    const nowMs = now();
    const lanes: Lane[] = [];
    for (let shard = 0; shard < LANE_SHARDS; shard++) {
      const page = await table.query(dueLanesQuery(shard, nowMs, LANES_A_SHARD));
      lanes.push(...page.items.map(toLane).filter((lane) => lane.leaseUntilMs <= nowMs));
    }
    return lanes;
  }

  /** `undefined` when another was quicker. */
  async #claim(lane: Lane): Promise<Lane | undefined> {
    const leaseUntilMs = this.#stores.now() + LEASE_MS;
    try {
      await this.#stores.table.write([claimLaneOp(lane, leaseUntilMs)]);
      return { ...lane, leaseUntilMs, revision: lane.revision + 1 };
    } catch (error) {
      if (error instanceof ConditionFailedError) return undefined;
      throw error;
    }
  }
}

async function settledWithin(runs: Iterable<Promise<void>>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(runs), pause]);
  clearTimeout(timer);
}
