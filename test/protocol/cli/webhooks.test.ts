import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { Cli } from "../../support/cli.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type Receiver, startReceiver, status } from "../../support/webhook-receiver.ts";
import { isSignedWith, messageOf } from "../webhooks/builders.ts";

let server: TestServer;
let receiver: Receiver;
let admin: Cli;

beforeAll(async () => {
  server = await startServer({ args: ["--webhooks-private"] });
  await server.createRegistry({ slug: "builds", ecosystem: "generic" });
});
afterAll(() => server.stop());
beforeEach(async () => {
  receiver = await startReceiver();
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  const folder = await temporaryFolder("cli-webhooks");
  onTestFinished(() => folder[Symbol.asyncDispose]());
  admin = Cli.of(server, folder.path, server.url);
});

const CREATED = z.looseObject({ id: z.string(), secret: z.string() });

async function create(...flags: readonly string[]) {
  const args = ["webhook", "create", receiver.url, "--registry", "builds", ...flags];
  return CREATED.parse(await admin.json(args));
}

test("create, show, list, update and delete work one after the other", async () => {
  const { id, secret } = await create("--event", "version.publish,tag.set", "--package", "app-*");
  expect(secret).toMatch(/^whsec_/);
  const show = await admin.run(["webhook", "show", id]);
  expect(show.stdout).toContain(receiver.url);
  expect(show.stdout).toContain("version.publish, tag.set");
  expect(show.stdout).not.toContain("whsec_");
  expect((await admin.run(["webhook", "list", "--registry", "builds"])).stdout).toContain(id);
  const update = [
    "webhook",
    "update",
    id,
    "--all-events",
    "--disable",
    "--to",
    `${receiver.url}/b`,
  ];
  expect(await admin.json(update)).toMatchObject({
    events: [],
    packages: ["app-*"],
    enabled: false,
    url: `${receiver.url}/b`,
  });
  expect((await admin.run(["webhook", "update", id])).code).toBe(2);
  expect((await admin.run(["webhook", "delete", id])).stdout).toContain(`Deleted ${id}.`);
  expect((await admin.run(["webhook", "show", id])).code).toBe(4);
});

test("create prints nothing but the secret on standard output", async () => {
  const { stdout, stderr } = await admin.run(["webhook", "create", receiver.url]);
  expect(stdout).toMatch(/^whsec_\S+\n$/);
  expect(stderr).toContain("shown this once");
  const wrong = await admin.run(["webhook", "create", receiver.url, "--event", "nothing"]);
  expect([wrong.code, wrong.stderr]).toMatchObject([2, expect.stringContaining("version.publish")]);
});

test("a publish to a running server reaches the receiver, signed, and shows in log and metrics", async () => {
  const { id, secret } = await create("--event", "version.publish");
  const published = await fetch(`${server.url}/generic/builds/app/1.0.0/app.txt`, {
    method: "PUT",
    headers: { authorization: `Bearer ${server.adminToken}` },
    body: "hello",
  });
  expect(published.status).toBe(201);
  await receiver.arrived(1);
  const [received] = receiver.received;
  if (received === undefined) throw new Error("nothing came");
  expect(messageOf(received).subject).toBe("app@1.0.0");
  expect(isSignedWith(secret, received)).toBe(true);
  await expect
    .poll(async () => (await admin.run(["webhook", "deliveries", id])).stdout)
    .toMatch(/version\.publish +app@1\.0\.0 +delivered +1 +204/);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/entrepot_webhook_attempts_total\{outcome="delivered"\} [1-9]/);
});

test("ping and redeliver say what became of it, and fail when it was not taken", async () => {
  const { id } = await create();
  const ping = await admin.run(["webhook", "ping", id]);
  expect([ping.code, ping.stdout]).toMatchObject([
    0,
    expect.stringMatching(/^ping \w+: delivered, answered 204 in \d+ ms\n$/),
  ]);
  const delivery = /^ping (\w+):/.exec(ping.stdout)?.[1] ?? "";
  receiver.answer(status(500));
  const again = await admin.run(["webhook", "redeliver", id, delivery]);
  expect([again.code, again.stdout, again.stderr]).toMatchObject([
    1,
    expect.stringContaining("pending, answered 500"),
    expect.stringContaining("goes on trying"),
  ]);
});

test("rotate-secret prints another one", async () => {
  const { id, secret } = await create();
  const { stdout } = await admin.run(["webhook", "rotate-secret", id]);
  expect(stdout).toMatch(/^whsec_\S+\n$/);
  expect(stdout.trim()).not.toBe(secret);
});
