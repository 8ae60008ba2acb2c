import type { Command } from "commander";
import { apiPath } from "../client/api-path.ts";
import { CliError, EXIT } from "../client/failures.ts";
import { deliverySchema, type DeliveryView, webhookWithSecretSchema } from "../client/schemas.ts";
import { formatTime } from "../client/text.ts";
import { printList } from "./listing.ts";
import {
  openSession,
  type Session,
  withCommonOptions,
  withExamples,
  withListOptions,
} from "./session.ts";

/** Stands under every secret that is shown. */
export const SECRET_NOTE = "Its secret is shown this once: keep it.";

/** Longer than the server waits for a receiver, and for its own next look at what is due. */
const WAIT_MS = 20_000;
const LOOK_MS = 300;

/** `webhook ping`: sends a test event and waits for what becomes of it. */
export function addPing(group: Command): void {
  const ping = group
    .command("ping")
    .summary("send a test event")
    .description("Sends an event of the kind ping, and waits for the receiver's answer.")
    .argument("<id>");
  withExamples(withCommonOptions(ping), ["webhook ping 4fGh2kLm4fGh2kLm"]).action(
    async (id: string, _options: unknown, command: Command) => {
      await sendAndWait(openSession(command), id, apiPath`/webhooks/${id}/ping`);
    },
  );
}

/** `webhook redeliver`: sends once more what was sent. */
export function addRedeliver(group: Command): void {
  const redeliver = group
    .command("redeliver")
    .summary("send a delivery once more")
    .description(
      "Sends what was delivered, or given up, once more under the same id, and waits for the receiver's answer.",
    )
    .argument("<id>")
    .argument("<delivery>", "its id (entrepot webhook deliveries)");
  withExamples(withCommonOptions(redeliver), [
    "webhook redeliver 4fGh2kLm4fGh2kLm 00mwqjehuk0000Pk6PwEp4uc",
  ]).action(async (id: string, delivery: string, _options: unknown, command: Command) => {
    const path = apiPath`/webhooks/${id}/deliveries/${delivery}/redeliver`;
    await sendAndWait(openSession(command), id, path);
  });
}

async function sendAndWait(session: Session, id: string, path: string): Promise<void> {
  const api = await session.connect();
  const untilMs = Date.now() + WAIT_MS;
  let delivery = await api.send({ method: "POST", path, schema: deliverySchema });
  const where = apiPath`/webhooks/${id}/deliveries/${delivery.id}`;
  while (delivery.state === "pending" && delivery.attempts === 0 && Date.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    delivery = await api.send({ path: where, schema: deliverySchema });
  }
  session.output.result(delivery, () => `${delivery.event} ${delivery.id}: ${outcome(delivery)}`);
  if (delivery.state === "delivered") return;
  throw new CliError(EXIT.failure, "The event was not delivered (yet).", {
    hint: `Entrepot goes on trying. See: entrepot webhook deliveries ${id}`,
  });
}

function outcome({ state, lastAttempt }: DeliveryView): string {
  if (lastAttempt === undefined) return state;
  const { status, error, durationMs } = lastAttempt;
  const words = error ?? `answered ${status ?? ""}`;
  return `${state}, ${words} in ${durationMs} ms`;
}

/** `webhook deliveries`: the log. */
export function addDeliveries(group: Command): void {
  const deliveries = group
    .command("deliveries")
    .summary("show what was sent")
    .description("Lists what was sent in the last seven days, newest first.")
    .argument("<id>");
  withExamples(withCommonOptions(withListOptions(deliveries)), [
    "webhook deliveries 4fGh2kLm4fGh2kLm",
  ]).action(async (id: string, _options: unknown, command: Command) => {
    await printList(command, {
      path: apiPath`/webhooks/${id}/deliveries`,
      item: deliverySchema,
      heads: ["ID", "TIME (UTC)", "EVENT", "PACKAGE", "STATE", "ATTEMPTS", "STATUS", "MS", "ERROR"],
      row: deliveryRow,
    });
  });
}

function deliveryRow(item: DeliveryView): readonly string[] {
  const { lastAttempt } = item;
  return [
    item.id,
    formatTime(item.createdAt),
    item.event,
    item.version === "" ? item.package : `${item.package}@${item.version}`,
    item.state,
    String(item.attempts),
    String(lastAttempt?.status ?? "-"),
    String(lastAttempt?.durationMs ?? "-"),
    lastAttempt?.error ?? "",
  ];
}

/** `webhook rotate-secret`: a new secret, while the old one works for another day. */
export function addRotateSecret(group: Command): void {
  const rotate = group
    .command("rotate-secret")
    .summary("replace a webhook's secret")
    .description("Prints a new secret, this once. For 24 hours messages are signed with both.")
    .argument("<id>");
  withExamples(withCommonOptions(rotate), ["webhook rotate-secret 4fGh2kLm4fGh2kLm"]).action(
    async (id: string, _options: unknown, command: Command) => {
      const session = openSession(command);
      const api = await session.connect();
      const made = await api.send({
        method: "POST",
        path: apiPath`/webhooks/${id}/rotate-secret`,
        schema: webhookWithSecretSchema,
      });
      session.output.result(made, () => made.secret);
      if (!session.output.json) session.output.note(SECRET_NOTE);
    },
  );
}
