import { createHmac } from "node:crypto";
import { onTestFinished } from "vitest";
import * as z from "zod";
import type { ServiceOptions } from "../../../shared/services/services.ts";
import { type Received, type Receiver, startReceiver } from "../../support/webhook-receiver.ts";
import { type ApiClient, openApi } from "../api/client.ts";

const CREATED = z.looseObject({ id: z.string(), secret: z.string() });
const LAST = z.object({
  durationMs: z.number(),
  status: z.number().optional(),
  error: z.string().optional(),
});
const DELIVERY = z.looseObject({
  id: z.string(),
  event: z.string(),
  package: z.string(),
  state: z.string(),
  attempts: z.number(),
  nextAttemptAt: z.string().optional(),
  lastAttempt: LAST.optional(),
});
const MESSAGE = z.looseObject({
  id: z.string(),
  type: z.string(),
  subject: z.string().optional(),
  data: z.looseObject({ package: z.string() }),
});

export type SeenDelivery = z.infer<typeof DELIVERY>;

/** An API over stores of its own, with a registry `files` of generic packages, in which webhooks reach 127.0.0.1. */
export interface WebhookWorld {
  readonly api: ApiClient;
  /** Makes a webhook, and sends nothing. */
  make(input: Readonly<Record<string, unknown>>): Promise<z.infer<typeof CREATED>>;
  /** Makes a webhook, and sends what its creation is an event of: tests look at what comes then. */
  create(input: Readonly<Record<string, unknown>>): Promise<z.infer<typeof CREATED>>;
  publish(name: string, version?: string): Promise<void>;
  /** What the background does: events become deliveries, and deliveries are sent. Gives the attempts. */
  run(): Promise<number>;
  /** The log of a webhook, newest first. */
  deliveries(id: string): Promise<readonly SeenDelivery[]>;
  receiver(): Promise<Receiver>;
  aheadMs(ms: number): void;
}

/** Opens one that is closed with the test. */
export async function openWorld(options: Partial<ServiceOptions> = {}): Promise<WebhookWorld> {
  const api = await openApi({ webhooksPrivate: true, ...options });
  onTestFinished(() => api.close());
  const { registry } = api;
  await registry.createRegistry({ slug: "files", ecosystem: "generic" });
  await registry.services.events.deliver();
  const make: WebhookWorld["make"] = async (input) => {
    const { status, body } = await api.call("POST", "/webhooks", { body: input });
    if (status !== 201) throw new Error(JSON.stringify(body));
    return CREATED.parse(body);
  };
  return {
    api,
    make,
    create: async (input) => {
      const made = await make(input);
      await registry.services.events.deliver();
      await registry.services.webhookDeliverer.deliverDue();
      return made;
    },
    publish: async (name, version = "1.0.0") => {
      const path = `/generic/files/${name}/${version}/${name}.txt`;
      const response = await registry.request(path, { method: "PUT", body: `${name} ${version}` });
      if (response.status !== 201) throw new Error(await response.text());
    },
    run: async () => {
      await registry.services.events.deliver();
      return registry.services.webhookDeliverer.deliverDue();
    },
    deliveries: async (id) => {
      const { body } = await api.call("GET", `/webhooks/${id}/deliveries`);
      return z.object({ items: z.array(DELIVERY) }).parse(body).items;
    },
    receiver: async () => {
      const receiver = await startReceiver();
      onTestFinished(() => receiver[Symbol.asyncDispose]());
      return receiver;
    },
    aheadMs: (ms) => {
      registry.clock.aheadMs += ms;
    },
  };
}

/** A message as the receiver reads it. */
export const messageOf = (received: Received | undefined) =>
  MESSAGE.parse(JSON.parse(received?.body ?? ""));

/** Whether one of the signatures is that of the secret, by the words of the Standard Webhooks specification. */
export function isSignedWith(secret: string, { headers, body }: Received): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const id = String(headers["webhook-id"]);
  const text = `${id}.${String(headers["webhook-timestamp"])}.${body}`;
  const signature = `v1,${createHmac("sha256", key).update(text).digest("base64")}`;
  return String(headers["webhook-signature"]).split(" ").includes(signature);
}
