import type { Command } from "commander";
import * as z from "zod";
import { AUDIT_ACTIONS } from "../../shared/domain/audit.ts";
import { apiPath } from "../client/api-path.ts";
import { usageError } from "../client/failures.ts";
import {
  objectSchema,
  webhookSchema,
  type WebhookView,
  webhookWithSecretSchema,
} from "../client/schemas.ts";
import { formatFields, formatTime } from "../client/text.ts";
import { printList } from "./listing.ts";
import {
  collect,
  openSession,
  parseOptions,
  requireChanges,
  withCommonOptions,
  withExamples,
  withListOptions,
} from "./session.ts";
import {
  addDeliveries,
  addPing,
  addRedeliver,
  addRotateSecret,
  SECRET_NOTE,
} from "./webhook-deliveries.ts";

/** `webhook create|list|show|update|delete|ping|deliveries|redeliver|rotate-secret`. */
export function addWebhookCommands(program: Command): void {
  const group = program
    .command("webhook")
    .summary("have events sent to other systems")
    .description(
      "Webhooks: events of a registry, or of the whole deployment, POSTed to a URL and signed (Standard Webhooks).",
    );
  addCreate(group);
  addList(group);
  addShow(group);
  addUpdate(group);
  addDelete(group);
  addPing(group);
  addDeliveries(group);
  addRedeliver(group);
  addRotateSecret(group);
}

const unknownEvent = {
  error: ({ input }: { readonly input?: unknown }) =>
    `"${String(input)}" is no kind of event; there are ${AUDIT_ACTIONS.join(", ")}`,
};

const filterShape = {
  event: z.array(z.enum(AUDIT_ACTIONS, unknownEvent)).optional(),
  package: z.array(z.string()).optional(),
  description: z.string().optional(),
};

function withFilters(command: Command): Command {
  return command
    .option("--event <kinds>", "only these kinds of events; may be repeated", collect)
    .option("--package <patterns>", "only packages that match, * for any text", collect)
    .option("--description <text>", "what it is for");
}

/** The body that the API wants; flags that were not given are left out, and so stay as they are. */
function filtersBody(flags: {
  readonly event?: readonly string[] | undefined;
  readonly package?: readonly string[] | undefined;
  readonly description?: string | undefined;
}): Record<string, unknown> {
  return {
    ...(flags.event === undefined ? {} : { events: flags.event }),
    ...(flags.package === undefined ? {} : { packages: flags.package }),
    ...(flags.description === undefined ? {} : { description: flags.description }),
  };
}

function addCreate(group: Command): void {
  const create = group
    .command("create")
    .summary("create a webhook")
    .description(
      `Has events sent to a URL, and prints the secret that their signatures are verified with, this once. Kinds of events: ${AUDIT_ACTIONS.join(", ")}.`,
    )
    .argument("<url>", "where events are POSTed to")
    .option("--registry <slug>", "only events of this registry (default: of the whole deployment)")
    .option("--disabled", "send nothing yet");
  withExamples(withCommonOptions(withFilters(create)), [
    "webhook create https://ci.example.com/hook --registry my-npm --event version.publish",
    "webhook create https://audit.example.com/hook --json | jq -r .secret",
  ]).action(async (url: string, _options: unknown, command: Command) => {
    const session = openSession(command);
    const { registry, disabled, ...filters } = parseOptions(
      command,
      z.object({
        ...filterShape,
        registry: z.string().optional(),
        disabled: z.boolean().default(false),
      }),
    );
    const body = {
      ...filtersBody(filters),
      url,
      enabled: !disabled,
      ...(registry === undefined ? {} : { registry }),
    };
    const api = await session.connect();
    const schema = webhookWithSecretSchema;
    const made = await api.send({ method: "POST", path: "/webhooks", body, schema });
    session.output.result(made, () => made.secret);
    if (!session.output.json) {
      session.output.note(
        `Webhook ${made.id} is created. ${SECRET_NOTE}\nTry it: entrepot webhook ping ${made.id}`,
      );
    }
  });
}

function addList(group: Command): void {
  const command = group
    .command("list")
    .alias("ls")
    .summary("list webhooks")
    .description("Lists the webhooks that you may know of.")
    .option("--registry <slug>", "only those of this registry");
  withExamples(withCommonOptions(withListOptions(command)), [
    "webhook list",
    "webhook list --registry builds",
  ]).action(async (_options: unknown, self: Command) => {
    const { registry } = parseOptions(self, z.object({ registry: z.string().optional() }));
    await printList(self, {
      path: "/webhooks",
      query: { registry },
      item: webhookSchema,
      heads: ["ID", "REGISTRY", "ENABLED", "EVENTS", "PACKAGES", "URL"],
      row: (item) => [
        item.id,
        item.registry ?? "all",
        item.enabled ? "yes" : "no",
        item.events.join(",") || "all",
        item.packages.join(",") || "all",
        item.url,
      ],
      none: "There are no webhooks. Create one: entrepot webhook create <url>",
    });
  });
}

function addShow(group: Command): void {
  const show = group
    .command("show")
    .summary("show a webhook")
    .description("Shows a webhook; never its secret.")
    .argument("<id>");
  withExamples(withCommonOptions(show), ["webhook show 4fGh2kLm4fGh2kLm"]).action(
    async (id: string, _options: unknown, command: Command) => {
      const session = openSession(command);
      const api = await session.connect();
      const webhook = await api.send({ path: apiPath`/webhooks/${id}`, schema: webhookSchema });
      session.output.result(webhook, () => describe(webhook));
    },
  );
}

function describe(webhook: WebhookView): string {
  return formatFields([
    ["Id", webhook.id],
    ["Registry", webhook.registry ?? "all"],
    ["URL", webhook.url],
    ["Events", webhook.events.join(", ") || "all"],
    ["Packages", webhook.packages.join(", ") || "all"],
    ["Description", webhook.description],
    ["Enabled", webhook.enabled ? "yes" : "no"],
    ["Disabled because", webhook.disabledReason ?? ""],
    ["Created by", webhook.createdBy],
    ["Created", formatTime(webhook.createdAt)],
    ["Updated", formatTime(webhook.updatedAt)],
  ]);
}

const updateSchema = z.object({
  ...filterShape,
  to: z.string().optional(),
  allEvents: z.boolean().default(false),
  allPackages: z.boolean().default(false),
  enable: z.boolean().default(false),
  disable: z.boolean().default(false),
});

function addUpdate(group: Command): void {
  const update = group
    .command("update")
    .summary("change, enable or disable a webhook")
    .description("Changes what is named by flags; everything else stays.")
    .argument("<id>")
    .option("--to <url>", "where events are POSTed to from now on")
    .option("--all-events", "every kind of event")
    .option("--all-packages", "every package")
    .option("--enable", "send events, and what still waits; earlier failures are forgotten")
    .option("--disable", "send nothing");
  withExamples(withCommonOptions(withFilters(update)), [
    "webhook update 4fGh2kLm4fGh2kLm --to https://new.example.com/hook",
    "webhook update 4fGh2kLm4fGh2kLm --all-events --enable",
  ]).action(async (id: string, _options: unknown, command: Command) => {
    const session = openSession(command);
    const flags = parseOptions(command, updateSchema);
    if (flags.enable && flags.disable) throw usageError("--enable or --disable, not both.");
    const body = {
      ...filtersBody(flags),
      ...(flags.allEvents ? { events: [] } : {}),
      ...(flags.allPackages ? { packages: [] } : {}),
      ...(flags.to === undefined ? {} : { url: flags.to }),
      ...(flags.enable || flags.disable ? { enabled: flags.enable } : {}),
    };
    requireChanges(body, command);
    const api = await session.connect();
    const path = apiPath`/webhooks/${id}`;
    const after = await api.send({ method: "PATCH", path, body, schema: webhookSchema });
    session.output.result(after, () => describe(after));
  });
}

function addDelete(group: Command): void {
  const remove = group
    .command("delete")
    .summary("delete webhooks")
    .description("Deletes webhooks by their ids, with what still waits to be sent.")
    .argument("<id...>");
  withExamples(withCommonOptions(remove), ["webhook delete 4fGh2kLm4fGh2kLm"]).action(
    async (ids: readonly string[], _options: unknown, command: Command) => {
      const session = openSession(command);
      const api = await session.connect();
      for (const id of ids) {
        await api.send({ method: "DELETE", path: apiPath`/webhooks/${id}`, schema: objectSchema });
      }
      session.output.result({ deleted: ids }, () => ids.map((id) => `Deleted ${id}.`).join("\n"));
    },
  );
}
