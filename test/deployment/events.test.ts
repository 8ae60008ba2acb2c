import { expect, test, vi } from "vitest";
import { OUTBOX_SHARDS, outboxQuery, toEvent } from "../../shared/records/outbox.ts";
import { deadLetters } from "./dead-letters.ts";
import type { Deployment } from "./deployment.ts";
import { describeDeployed } from "./describe-deployed.ts";
import { eventsTaken } from "./worker-logs.ts";

const FILES = 3;
/** Of the stream, its batching window and the queues behind it, on a machine that does other things too. */
const PATIENCE = { timeout: 60_000, interval: 500 };

describeDeployed("events of a deployed registry", (deployment) => {
  test("go from a publish by the stream to every worker, and leave nothing behind", async () => {
    const registry = await deployment.createRegistry("generic");
    const before = await taken(deployment);
    for (let number = 0; number < FILES; number++) {
      const path = `/generic/${registry}/app/1.0.${number}/file.txt`;
      const published = await deployment.request(path, { method: "PUT", body: `file ${number}` });
      expect(published.status).toBe(201);
    }
    await vi.waitFor(async () => {
      const after = await taken(deployment);
      expect(after.index - before.index).toBeGreaterThanOrEqual(FILES);
      expect(after.webhooks - before.webhooks).toBeGreaterThanOrEqual(FILES);
      expect(await waitingEvents(deployment, registry)).toEqual([]);
    }, PATIENCE);
    for (const worker of ["stream", "index", "webhooks"] as const) {
      expect((await eventsTaken(deployment, worker)).failed).toBe(0);
    }
    expect(await deadLetters(deployment)).toBe(0);
  });
});

async function taken(deployment: Deployment): Promise<{ index: number; webhooks: number }> {
  const index = await eventsTaken(deployment, "index");
  const webhooks = await eventsTaken(deployment, "webhooks");
  return { index: index.events, webhooks: webhooks.events };
}

/** Events of a registry whose rows are still in the table, by their actions. */
async function waitingEvents(deployment: Deployment, slug: string): Promise<readonly string[]> {
  const table = deployment.openTable();
  const waiting: string[] = [];
  for (let shard = 0; shard < OUTBOX_SHARDS; shard++) {
    const { items } = await table.query(outboxQuery(shard, 100));
    const events = items.map(toEvent).filter(({ registry }) => registry === slug);
    waiting.push(...events.map(({ action }) => action));
  }
  return waiting;
}
