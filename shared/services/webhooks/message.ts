import { createHmac } from "node:crypto";
import type { DeliveredEvent, Webhook } from "../../domain/webhook.ts";
import type { Keys } from "../../ports/keys.ts";

/** What is POSTed: body and headers of one attempt. */
export interface Message {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * An event as CloudEvents 1.0 has it in structured mode. The same event gives the same text at every attempt.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export function renderEvent(event: DeliveredEvent, baseUrl: string): string {
  const { id, kind, atMs, actor, requestId, registry, version, detail } = event;
  const path = registry === "" ? "/api/v1" : `/api/v1/registries/${registry}`;
  const subject = version === "" ? event.package : `${event.package}@${version}`;
  return JSON.stringify({
    specversion: "1.0",
    id,
    source: baseUrl + path,
    type: `entrepot.${kind}`,
    time: new Date(atMs).toISOString(),
    ...(subject === "" ? {} : { subject }),
    datacontenttype: "application/json",
    data: { action: kind, actor, registry, package: event.package, version, detail, requestId },
  });
}

/**
 * The text that receivers verify with: `whsec_` and 32 bytes in base64. Derived from the deployment's key, so
 * that a copy of the table signs nothing.
 */
export async function webhookSecret(keys: Keys, id: string, version: number): Promise<string> {
  const key = await keys.mac("webhook", `${id}#${version}`);
  return `whsec_${Buffer.from(key).toString("base64")}`;
}

/**
 * Signs by Standard Webhooks: the id is the event's at every attempt, the time is the attempt's. While a
 * secret is being replaced there are two signatures, and receivers take either.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export async function signedMessage(
  keys: Keys,
  webhook: Webhook,
  event: DeliveredEvent,
  { baseUrl, nowMs }: { readonly baseUrl: string; readonly nowMs: number },
): Promise<Message> {
  const body = renderEvent(event, baseUrl);
  const timestamp = String(Math.floor(nowMs / 1000));
  const versions = [webhook.secretVersion];
  if (nowMs < webhook.previousSecretUntilMs) versions.push(webhook.secretVersion - 1);
  const signatures = await Promise.all(
    versions.map(async (version) => {
      const key = await keys.mac("webhook", `${webhook.id}#${version}`);
      const mac = createHmac("sha256", key).update(`${event.id}.${timestamp}.${body}`);
      return `v1,${mac.digest("base64")}`;
    }),
  );
  return {
    body,
    headers: {
      "content-type": "application/cloudevents+json; charset=utf-8",
      "user-agent": "entrepot-webhooks",
      "webhook-id": event.id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signatures.join(" "),
    },
  };
}
