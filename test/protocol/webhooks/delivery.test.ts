import { describe, expect, test } from "vitest";
import { WebhookDeliverer } from "../../../shared/services/webhooks/deliverer.ts";
import { WebhookFanOut } from "../../../shared/services/webhooks/fan-out.ts";
import type { RegistryEvent } from "../../../shared/domain/audit.ts";
import { WORKER } from "../../../shared/services/tokens.ts";
import { status } from "../../support/webhook-receiver.ts";
import { isSignedWith, messageOf, openWorld } from "./builders.ts";

const EVENT: RegistryEvent = {
  id: "0abcdefghi0000ABCDEFGHIJ",
  atMs: 1_763_712_000_000,
  action: "version.publish",
  actor: "alice",
  tokenId: "secret-token-id",
  address: "192.0.2.77",
  requestId: "r1",
  registry: "files",
  package: "tool",
  version: "1.0.0",
  detail: "",
  registryId: "",
};

const NO_KEYS = {
  sign: () => Promise.reject(new Error("the keys cannot be used")),
  mac: () => Promise.reject(new Error("the keys cannot be used")),
};

describe("what is published", () => {
  test("is POSTed as a signed CloudEvent, once", async () => {
    const world = await openWorld({ baseUrl: "https://registry.test" });
    const receiver = await world.receiver();
    const { id, secret } = await world.create({
      registry: "files",
      url: `${receiver.url}/hook?key=1`,
      events: ["version.publish"],
    });
    await world.publish("tool");
    expect(await world.run()).toBe(1);
    expect(await world.run()).toBe(0);
    const [received] = receiver.received;
    if (received === undefined) throw new Error("nothing came");
    expect(receiver.received).toHaveLength(1);
    expect(received.path).toBe("/hook?key=1");
    expect(received.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
    expect(isSignedWith(secret, received)).toBe(true);
    expect(isSignedWith(`whsec_${"A".repeat(43)}=`, received)).toBe(false);
    const seconds = Number(received.headers["webhook-timestamp"]);
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(5);
    const message = messageOf(received);
    expect(message).toMatchObject({
      specversion: "1.0",
      id: received.headers["webhook-id"],
      source: "https://registry.test/api/v1/registries/files",
      type: "entrepot.version.publish",
      subject: "tool@1.0.0",
      datacontenttype: "application/json",
      data: { registry: "files", package: "tool", version: "1.0.0", actor: "admin" },
    });
    expect(await world.deliveries(id)).toMatchObject([
      { id: message.id, state: "delivered", attempts: 1, lastAttempt: { status: 204 } },
    ]);
  });

  test("tells nothing of the caller's token and address", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    await world.create({ url: receiver.url, events: ["version.publish"] });
    await new WebhookFanOut(world.api.registry.stores).consume([EVENT]);
    await world.run();
    expect(receiver.received[0]?.body).toContain("alice");
    expect(receiver.received[0]?.body).not.toMatch(/secret-token-id|192\.0\.2\.77/);
  });

  test("is sent once, however often the event comes", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    await world.create({ url: receiver.url, events: ["version.publish"] });
    const fanOut = new WebhookFanOut(world.api.registry.stores);
    await fanOut.consume([EVENT, EVENT]);
    await Promise.all([fanOut.consume([EVENT]), fanOut.consume([EVENT])]);
    await world.run();
    await fanOut.consume([EVENT]);
    await world.run();
    expect(receiver.received).toHaveLength(1);
  });

  test("goes out for every event of a batch larger than a transaction", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    const { id } = await world.create({ url: receiver.url, events: ["version.publish"] });
    const events = Array.from({ length: 130 }, (_, at) => ({ ...EVENT, id: `${EVENT.id}${at}` }));
    await new WebhookFanOut(world.api.registry.stores).consume(events);
    expect(await world.run()).toBe(130);
    const ids = new Set(receiver.received.map(({ headers }) => headers["webhook-id"]));
    expect(ids.size).toBe(130);
    expect(await world.deliveries(id)).toHaveLength(50);
  });
});

describe("a webhook", () => {
  test("of a registry hears of nothing elsewhere, one of the deployment of everything", async () => {
    const world = await openWorld();
    await world.api.registry.createRegistry({ slug: "other", ecosystem: "generic" });
    const [one, all] = [await world.receiver(), await world.receiver()];
    await world.create({ registry: "other", url: one.url, events: ["version.publish"] });
    await world.create({ url: all.url });
    const before = all.received.length;
    await world.publish("tool");
    await world.api.tokenFor({ scopes: ["packages:read"] });
    await world.run();
    expect(one.received).toEqual([]);
    const types = all.received.slice(before).map((received) => messageOf(received).type);
    expect(types.sort()).toEqual(["entrepot.token.create", "entrepot.version.publish"]);
  });

  test("of one registry is not told of another's events in the same batch", async () => {
    const world = await openWorld();
    await world.api.registry.createRegistry({ slug: "other", ecosystem: "generic" });
    const receiver = await world.receiver();
    await world.create({ registry: "files", url: receiver.url, events: ["version.publish"] });
    const { access, stores } = world.api.registry.services;
    const idOf = async (slug: string): Promise<string> =>
      (await access.openAny(WORKER, slug)).registry.id;
    await new WebhookFanOut(stores).consume([
      { ...EVENT, id: "a1", package: "own", registryId: await idOf("files") },
      { ...EVENT, id: "a2", package: "foreign", registryId: await idOf("other") },
    ]);
    await world.run();
    expect(receiver.received.map((received) => messageOf(received).data.package)).toEqual(["own"]);
  });

  test("with patterns, even for every name, hears of no event without a package", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    await world.create({ registry: "files", url: receiver.url, packages: ["*"] });
    const before = receiver.received.length;
    await world.publish("tool");
    await world.api.call("PATCH", "/registries/files", { body: { description: "no package" } });
    await world.run();
    const names = receiver.received.slice(before);
    expect(names.map((received) => messageOf(received).data.package)).toEqual(["tool"]);
  });

  test("with patterns hears only of packages that match", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    await world.create({ registry: "files", url: receiver.url, packages: ["app-*", "lib"] });
    for (const name of ["app-one", "lib", "library", "zapp-one"]) await world.publish(name);
    await world.api.call("PATCH", "/registries/files", { body: { description: "no package" } });
    await world.run();
    const names = receiver.received.map((received) => messageOf(received).data.package);
    expect([...new Set(names)].sort()).toEqual(["app-one", "lib"]);
  });

  test("with kinds of events hears only of those", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    await world.create({ registry: "files", url: receiver.url, events: ["registry.update"] });
    await world.publish("tool");
    await world.api.call("PATCH", "/registries/files", { body: { description: "new" } });
    await world.run();
    expect(receiver.received.map((received) => messageOf(received).type)).toEqual([
      "entrepot.registry.update",
    ]);
  });

  test("that is disabled gets nothing, and what happens meanwhile is not kept", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    const { id } = await world.create({
      registry: "files",
      url: receiver.url,
      events: ["version.publish"],
    });
    await world.publish("waiting");
    await world.api.registry.services.events.deliver();
    await world.api.call("PATCH", `/webhooks/${id}`, { body: { enabled: false } });
    await world.publish("meanwhile");
    await world.run();
    expect(receiver.received).toEqual([]);
    await world.api.call("PATCH", `/webhooks/${id}`, { body: { enabled: true } });
    await world.run();
    expect(receiver.received.map((received) => messageOf(received).data.package)).toEqual([
      "waiting",
    ]);
  });

  test("that is deleted gets nothing, not even what was waiting or is being sent", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    const { id } = await world.create({
      registry: "files",
      url: receiver.url,
      events: ["version.publish"],
    });
    await world.publish("waiting");
    await world.api.registry.services.events.deliver();
    expect((await world.api.call("DELETE", `/webhooks/${id}`)).status).toBe(204);
    await world.publish("later");
    expect(await world.run()).toBe(0);
    expect(receiver.received).toEqual([]);
    expect((await world.api.call("GET", `/webhooks/${id}/deliveries`)).status).toBe(404);
  });

  test("that is deleted in the middle of an attempt is not tried again", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    const { id } = await world.create({ registry: "files", url: receiver.url });
    let deleted: Promise<unknown> = Promise.resolve();
    receiver.answer((_request, response) => {
      deleted = world.api.call("DELETE", `/webhooks/${id}`);
      void deleted.then(() => response.writeHead(500).end());
    });
    const before = receiver.received.length;
    await world.api.call("PATCH", "/registries/files", { body: { description: "new" } });
    await world.run();
    await deleted;
    world.aheadMs(3_600_000);
    expect(await world.run()).toBe(0);
    expect(receiver.received).toHaveLength(before + 1);
  });

  test("of a deleted registry hears of the deletion, and is gone", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    const { id } = await world.create({
      registry: "files",
      url: receiver.url,
      events: ["registry.delete", "version.publish"],
    });
    await world.api.call("DELETE", "/registries/files?confirm=files");
    await world.api.registry.createRegistry({ slug: "files", ecosystem: "generic" });
    await world.publish("of-the-new-one");
    await world.run();
    expect(receiver.received.map((received) => messageOf(received).type)).toEqual([
      "entrepot.registry.delete",
    ]);
    expect((await world.api.call("GET", `/webhooks/${id}`)).status).toBe(404);
    expect((await world.api.call("GET", "/webhooks")).body).toEqual({ items: [] });
    world.aheadMs(26 * 3_600_000);
    const { table } = world.api.registry.stores;
    for (const sk of ["WEBHOOK", "LANE"]) {
      expect(await table.get({ pk: `WEBHOOK#${id}`, sk })).toBeUndefined();
    }
  });
});

test("keys that cannot sign are no failure of the receiver's", async () => {
  const world = await openWorld();
  const receiver = await world.receiver();
  const { id } = await world.create({ url: receiver.url, events: ["version.publish"] });
  const { stores } = world.api.registry;
  const unsigned = new WebhookDeliverer(
    { ...stores, keys: { ...NO_KEYS, publicKeys: () => stores.keys.publicKeys() } },
    { allowPrivate: true, baseUrl: "", attempted: () => {} },
  );
  await new WebhookFanOut(stores).consume([EVENT]);
  expect(await unsigned.deliverDue()).toBe(0);
  expect(await world.deliveries(id)).toMatchObject([{ state: "pending", attempts: 0 }]);
  world.aheadMs(90_000);
  await world.run();
  expect(await world.deliveries(id)).toMatchObject([{ state: "delivered", attempts: 1 }]);
});

describe("sent on demand", () => {
  test("a ping comes whatever kinds the webhook is for, and shows in the log with its text", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    const { id, secret } = await world.create({ url: receiver.url, events: ["package.delete"] });
    const { status: code, body } = await world.api.call("POST", `/webhooks/${id}/ping`);
    expect([code, body]).toMatchObject([202, { event: "ping", state: "pending", attempts: 0 }]);
    await world.run();
    const [received] = receiver.received;
    if (received === undefined) throw new Error("nothing came");
    expect(isSignedWith(secret, received)).toBe(true);
    const [logged] = await world.deliveries(id);
    const shown = await world.api.call("GET", `/webhooks/${id}/deliveries/${logged?.id ?? ""}`);
    expect(shown.body).toMatchObject({ state: "delivered", body: received.body });
  });

  test("a delivery comes again under the same id, even one that was given up", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    receiver.answer(status(500));
    const { id } = await world.create({
      registry: "files",
      url: receiver.url,
      events: ["version.publish"],
    });
    await world.publish("tool");
    await world.run();
    const [pending] = await world.deliveries(id);
    const again = `/webhooks/${id}/deliveries/${pending?.id ?? ""}/redeliver`;
    expect((await world.api.call("POST", again)).status).toBe(409);
    world.aheadMs(24 * 3_600_000);
    await world.run();
    expect(await world.deliveries(id)).toMatchObject([{ state: "failed", attempts: 2 }]);
    receiver.answer(status(200));
    expect((await world.api.call("POST", again)).status).toBe(202);
    await world.run();
    expect(await world.deliveries(id)).toMatchObject([{ state: "delivered", attempts: 1 }]);
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toEqual([pending?.id, pending?.id, pending?.id]);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect((await world.api.call("POST", `/webhooks/${id}/deliveries/none/redeliver`)).status).toBe(
      404,
    );
  });

  test("nothing goes to a webhook that is disabled", async () => {
    const world = await openWorld();
    const receiver = await world.receiver();
    const { id } = await world.create({ url: receiver.url, enabled: false });
    expect((await world.api.call("POST", `/webhooks/${id}/ping`)).status).toBe(409);
  });
});

test("a replaced secret signs for one more day beside the new one", async () => {
  const world = await openWorld();
  const receiver = await world.receiver();
  const { id, secret: old } = await world.create({ url: receiver.url, events: ["token.create"] });
  const { body } = await world.api.call("POST", `/webhooks/${id}/rotate-secret`);
  const fresh = JSON.stringify(body).replace(/^.*"secret":"([^"]+)".*$/, "$1");
  expect(fresh).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(fresh).not.toBe(old);
  await world.api.tokenFor({ scopes: ["packages:read"] });
  await world.run();
  world.aheadMs(24 * 3_600_000 + 1);
  await world.api.tokenFor({ scopes: ["packages:read"] });
  await world.run();
  const signed = receiver.received.map((received) => [
    isSignedWith(old, received),
    isSignedWith(fresh, received),
  ]);
  expect(signed).toEqual([
    [true, true],
    [false, true],
  ]);
});
