import { describe, expect, test } from "vitest";
import type { Table, WriteOp } from "../../../shared/ports/table.ts";
import { WebhookDeliverer } from "../../../shared/services/webhooks/deliverer.ts";
import { status } from "../../support/webhook-receiver.ts";
import { messageOf, openWorld, type WebhookWorld } from "./builders.ts";

const HOUR_MS = 3_600_000;
const NEW = { registry: "files", events: ["version.publish"] };

/** A webhook of `files`, its receiver, and one event that was published and tried once. */
async function triedOnce(world: WebhookWorld, answer: Parameters<typeof status>) {
  const receiver = await world.receiver();
  receiver.answer(status(...answer));
  const { id } = await world.create({ ...NEW, url: receiver.url });
  await world.publish("tool");
  await world.run();
  return { id, receiver };
}

describe("a delivery that fails", () => {
  test("is tried again with growing pauses and the same id for a day, then given up", async () => {
    const world = await openWorld();
    const { id, receiver } = await triedOnce(world, [500]);
    const pausesMs: number[] = [];
    for (;;) {
      const [delivery] = await world.deliveries(id);
      const { nextAttemptAt, lastAttempt } = delivery ?? {};
      expect(lastAttempt).toMatchObject({ status: 500, error: "answered 500" });
      if (nextAttemptAt === undefined) break;
      const { clock } = world.api.registry;
      const pauseMs = Date.parse(nextAttemptAt) - (Date.now() + clock.aheadMs);
      pausesMs.push(pauseMs);
      // Not before its time…
      expect(await world.run()).toBe(0);
      world.aheadMs(Math.max(pauseMs, 0) + 100);
      // …but then; a lane that is paused may take a minute more.
      if ((await world.run()) === 0) {
        world.aheadMs(60_000);
        expect(await world.run()).toBe(1);
      }
    }
    expect(await world.deliveries(id)).toMatchObject([{ state: "failed" }]);
    expect(pausesMs.length).toBeGreaterThan(9);
    expect(pausesMs.length).toBeLessThan(20);
    expect(pausesMs[0]).toBeLessThan(7_000);
    expect(pausesMs[0]).toBeGreaterThan(2_500);
    for (const [at, pauseMs] of pausesMs.slice(1, 7).entries()) {
      expect(pauseMs).toBeGreaterThan(1.5 * (pausesMs[at] ?? Infinity));
    }
    expect(Math.max(...pausesMs)).toBeLessThan(5.1 * HOUR_MS);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    world.aheadMs(24 * HOUR_MS);
    expect(await world.run()).toBe(0);
  });

  test("is delivered when the receiver is back", async () => {
    const world = await openWorld();
    const { id, receiver } = await triedOnce(world, [503]);
    receiver.answer(status(200));
    world.aheadMs(10_000);
    await world.run();
    const [delivery] = await world.deliveries(id);
    expect(delivery).toMatchObject({ state: "delivered", attempts: 2 });
    expect(delivery?.lastAttempt).not.toHaveProperty("error");
    expect(delivery).not.toHaveProperty("nextAttemptAt");
  });

  test("does not keep later events of the same webhook waiting", async () => {
    const world = await openWorld();
    const { id, receiver } = await triedOnce(world, [500]);
    receiver.answer(status(200));
    await world.publish("later");
    await world.run();
    expect(await world.deliveries(id)).toMatchObject([
      { package: "later", state: "delivered" },
      { package: "tool", state: "pending" },
    ]);
  });

  test("says what happened: a redirect to a metadata service is not followed", async () => {
    const world = await openWorld();
    const { id } = await triedOnce(world, [
      307,
      { location: "http://169.254.169.254/latest/meta-data/" },
    ]);
    expect(await world.deliveries(id)).toMatchObject([
      {
        lastAttempt: { status: 307, error: expect.stringContaining("redirects are not followed") },
      },
    ]);
  });

  test("says what happened: the connection was reset", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    receiver.answer((request) => request.socket.resetAndDestroy());
    const { id } = await world.create({ ...NEW, url: receiver.url });
    await world.publish("tool");
    await world.run();
    const [delivery] = await world.deliveries(id);
    expect(delivery?.lastAttempt?.error).toMatch(/ECONNRESET|socket hang up/);
    expect(delivery?.lastAttempt).not.toHaveProperty("status");
  });

  test("says what happened: no answer within ten seconds", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    receiver.answer(() => {});
    const { id } = await world.create({ ...NEW, url: receiver.url });
    await world.publish("tool");
    await world.run();
    const [delivery] = await world.deliveries(id);
    expect(delivery?.lastAttempt?.error).toBe("no answer in time");
    expect(delivery?.lastAttempt?.durationMs).toBeGreaterThanOrEqual(9_900);
    expect(delivery?.lastAttempt?.durationMs).toBeLessThan(11_500);
  });

  test("is none when the answer is 200 and its body has no end", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    receiver.answer((_request, response) => {
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536), () => setImmediate(more));
      };
      more();
    });
    const { id } = await world.create({ ...NEW, url: receiver.url });
    await world.publish("tool");
    await world.run();
    expect(await world.deliveries(id)).toMatchObject([{ state: "delivered" }]);
  });
});

describe("without --webhooks-private", () => {
  test("a name that leads to loopback is found out when it is sent to", async () => {
    const world = await openWorld({ webhooksPrivate: false });
    const receiver = await world.receiver();
    const { port } = new URL(receiver.url);
    const { id } = await world.create({ ...NEW, url: `https://localhost:${port}/` });
    await world.api.call("POST", `/webhooks/${id}/ping`);
    await world.run();
    expect(await world.deliveries(id)).toMatchObject([
      { state: "pending", lastAttempt: { error: "localhost leads to no public address" } },
    ]);
    expect(receiver.received).toEqual([]);
  });
});

describe("a receiver that hangs", () => {
  test("holds up no other webhook, not even for what happens meanwhile", async () => {
    const world = await openWorld();
    const [slow, quick] = [await world.receiver(), await world.receiver()];
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    slow.answer((_request, response) => void released.then(() => response.writeHead(200).end()));
    await world.create({ ...NEW, url: slow.url });
    await world.create({ ...NEW, url: quick.url });
    await world.publish("first");
    const sending = world.run();
    await slow.arrived(1);
    await quick.arrived(1);
    await world.publish("second");
    await world.api.registry.services.events.deliver();
    // The same run of the deliverer, which still waits for the slow one.
    await quick.arrived(2);
    expect(slow.received).toHaveLength(1);
    release();
    await sending;
    await world.run();
    expect(slow.received.map((received) => messageOf(received).data.package)).toEqual([
      "first",
      "second",
    ]);
  });

  test("is asked once a pause when it fails again and again, however much is waiting", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    receiver.answer(status(500));
    await world.create({ ...NEW, url: receiver.url });
    for (let at = 0; at < 12; at++) await world.publish(`tool-${at}`);
    expect(await world.run()).toBe(5);
    await world.publish("one-more");
    expect(await world.run()).toBe(0);
    world.aheadMs(6_000);
    expect(await world.run()).toBe(1);
    receiver.answer(status(200));
    world.aheadMs(60_000);
    expect(await world.run()).toBe(13);
  });

  test("is left when the worker is told to stop, and gets the message again", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    receiver.answer(() => {});
    const { id } = await world.create({ ...NEW, url: receiver.url });
    await world.publish("tool");
    const { events, webhookDeliverer } = world.api.registry.services;
    await events.deliver();
    const stop = new AbortController();
    const startedMs = Date.now();
    const sending = webhookDeliverer.deliverDue(stop.signal);
    await receiver.arrived(1);
    stop.abort();
    expect(await sending).toBe(0);
    expect(Date.now() - startedMs).toBeLessThan(5_000);
    receiver.answer(status(200));
    await world.run();
    expect(await world.deliveries(id)).toMatchObject([{ state: "delivered", attempts: 1 }]);
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });
});

/** A table of which some operations do something else. */
function tableWith(table: Table, changes: Partial<Table>): Table {
  return {
    get: (key) => table.get(key),
    getMany: (keys) => table.getMany(keys),
    query: (query) => table.query(query),
    write: (ops) => table.write(ops),
    ping: () => table.ping(),
    close: () => table.close(),
    ...changes,
  };
}

/** A table whose process dies when it is to write down how a delivery went. */
function dyingTable(table: Table): Table {
  const isOutcome = (op: WriteOp): boolean =>
    op.op === "put" && op.item.key.sk.startsWith("D#") && op.item.attributes["attempts"] === 1;
  let dead = false;
  return tableWith(table, {
    write: async (ops) => {
      dead ||= ops.some(isOutcome);
      if (dead) throw new Error("the process has died");
      await table.write(ops);
    },
  });
}

test("a worker that dies between sending and writing it down sends the same message once more", async () => {
  const world = await openWorld();
  const receiver = await world.receiver();
  const { id } = await world.create({ ...NEW, url: receiver.url });
  await world.publish("tool");
  const { services, stores } = world.api.registry;
  await services.events.deliver();
  const dying = new WebhookDeliverer(
    { ...stores, table: dyingTable(stores.table) },
    { allowPrivate: true, baseUrl: "", attempted: () => {} },
  );
  await dying.deliverDue();
  expect(receiver.received).toHaveLength(1);
  expect(await world.deliveries(id)).toMatchObject([{ state: "pending", attempts: 0 }]);
  // The dead one holds the lane, until its lease is over.
  expect(await world.run()).toBe(0);
  world.aheadMs(90_000);
  expect(await world.run()).toBe(1);
  expect(await world.deliveries(id)).toMatchObject([{ state: "delivered" }]);
  const [first, second] = receiver.received;
  expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  expect(second?.body).toBe(first?.body);
});

test("an event that comes just when a worker has found nothing more to do is sent", async () => {
  const world = await openWorld();
  const receiver = await world.receiver();
  await world.create({ ...NEW, url: receiver.url });
  await world.publish("first");
  const { services, stores } = world.api.registry;
  await services.events.deliver();
  let queriesOfNext = 0;
  const table = tableWith(stores.table, {
    query: async (query) => {
      const page = await stores.table.query(query);
      // Without an end in time it is the worker's last look, before it lets go of the lane.
      if (query.range?.prefix === "Q#" && query.range.before === undefined) {
        queriesOfNext++;
        if (queriesOfNext === 1) {
          await world.publish("second");
          await services.events.deliver();
        }
      }
      return page;
    },
  });
  const options = { allowPrivate: true, baseUrl: "", attempted: () => {} };
  expect(await new WebhookDeliverer({ ...stores, table }, options).deliverDue()).toBe(2);
  expect(queriesOfNext).toBe(2);
});

test("two workers over one table send each message once", async () => {
  const world = await openWorld();
  const receiver = await world.receiver();
  await world.create({ ...NEW, url: receiver.url });
  for (let at = 0; at < 20; at++) await world.publish(`tool-${at}`);
  const { services, stores } = world.api.registry;
  await services.events.deliver();
  const options = { allowPrivate: true, baseUrl: "", attempted: () => {} };
  const workers = [1, 2, 3].map(() => new WebhookDeliverer(stores, options));
  const counts = await Promise.all(workers.map((worker) => worker.deliverDue()));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(20);
  expect(receiver.received).toHaveLength(20);
});

describe("a webhook is disabled", () => {
  const disabling = async (world: WebhookWorld) => (await world.api.call("GET", "/audit")).body;

  test("when it took nothing for five days, with an audit row", async () => {
    const world = await openWorld();
    const { id, receiver } = await triedOnce(world, [500]);
    for (let day = 0; day < 5; day++) {
      expect((await world.api.call("GET", `/webhooks/${id}`)).body).toMatchObject({
        enabled: true,
      });
      world.aheadMs(24 * HOUR_MS);
      await world.publish(`tool-${day}`);
      await world.run();
      world.aheadMs(60_000);
      await world.run();
    }
    world.aheadMs(24 * HOUR_MS);
    await world.run();
    expect((await world.api.call("GET", `/webhooks/${id}`)).body).toMatchObject({
      enabled: false,
      disabledReason: expect.stringMatching(/^nothing could be delivered for [56] days$/),
    });
    expect(await disabling(world)).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({
          action: "webhook.disable",
          actor: "entrepot",
          registry: "files",
          detail: expect.stringContaining(id),
        }),
      ]),
    });
    const count = receiver.received.length;
    await world.publish("nobody-hears");
    world.aheadMs(HOUR_MS);
    await world.run();
    expect(receiver.received).toHaveLength(count);
    // Enabled again, it starts with a clean slate.
    receiver.answer(status(200));
    const enabled = await world.api.call("PATCH", `/webhooks/${id}`, { body: { enabled: true } });
    expect(enabled.body).not.toHaveProperty("disabledReason");
    await world.publish("heard");
    await world.run();
    expect(await world.deliveries(id)).toEqual(
      expect.arrayContaining([expect.objectContaining({ package: "heard", state: "delivered" })]),
    );
  });

  test("not for one failure after a quiet week that began with one", async () => {
    const world = await openWorld();
    const { id } = await triedOnce(world, [500]);
    world.aheadMs(24 * HOUR_MS);
    await world.run();
    expect(await world.deliveries(id)).toMatchObject([{ state: "failed" }]);
    world.aheadMs(6 * 24 * HOUR_MS);
    await world.publish("after-a-week");
    await world.run();
    expect((await world.api.call("GET", `/webhooks/${id}`)).body).toMatchObject({ enabled: true });
  });

  test("at once by 410 Gone", async () => {
    const world = await openWorld();
    const { id } = await triedOnce(world, [410]);
    expect((await world.api.call("GET", `/webhooks/${id}`)).body).toMatchObject({
      enabled: false,
      disabledReason: "the receiver answered 410 Gone",
    });
  });
});
