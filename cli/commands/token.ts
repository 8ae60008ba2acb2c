import { type Command, Option } from "commander";
import * as z from "zod";
import { apiPath } from "../client/api-path.ts";
import { usageError } from "../client/failures.ts";
import { createdTokenSchema, objectSchema, tokenSchema } from "../client/schemas.ts";
import { formatTime } from "../client/text.ts";
import { futureTime } from "../client/times.ts";
import { SCOPES } from "../../shared/domain/token.ts";
import { printList } from "./listing.ts";
import {
  collect,
  openSession,
  parseOptions,
  withCommonOptions,
  withExamples,
  withListOptions,
} from "./session.ts";

/** `token create|list|revoke`. */
export function addTokenCommands(program: Command): void {
  const group = program
    .command("token")
    .summary("create, list and revoke access tokens")
    .description(
      "Access tokens for people and machines. A token can do no more than its creator's.",
    );
  addCreate(group);
  addList(group);
  addRevoke(group);
}

const unknownScope = {
  error: ({ input }: { readonly input?: unknown }) =>
    `"${String(input)}" is no scope; there are ${SCOPES.join(", ")}`,
};

const createSchema = z.object({
  description: z.string(),
  scope: z.array(z.enum(SCOPES, unknownScope)).min(1, "names no scope"),
  registry: z.array(z.string()).default([]),
  package: z.array(z.string()).optional(),
  expires: z.string().optional(),
  owner: z.string().optional(),
});

function addCreate(group: Command): void {
  const create = group
    .command("create")
    .summary("create a token")
    .description(`Creates a token and prints it, this once. Scopes: ${SCOPES.join(", ")}.`)
    .requiredOption("--description <text>", "what it is for")
    .addOption(
      new Option("--scope <scopes>", "what it may do; may be repeated, or divided by commas")
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .option(
      "--registry <patterns>",
      "only registries that match, * for any text; may be repeated",
      collect,
    )
    .option("--package <patterns>", "only packages that match; may be repeated", collect)
    .option("--expires <when>", "a date, or a span such as 90d (default: never)")
    .option("--owner <name>", "who acts with it (administrators only; default: you)");
  withExamples(withCommonOptions(create), [
    'token create --description "CI of acme" --scope packages:write --registry my-npm --expires 90d',
    "token create --description admin --scope admin --json | jq -r .token",
  ]).action(async (_options: unknown, command: Command) => {
    const session = openSession(command);
    const { description, scope, registry, expires, owner, ...rest } = parseOptions(
      command,
      createSchema,
    );
    const body = {
      description,
      scopes: scope,
      registries: registry,
      ...(rest.package === undefined ? {} : { packages: rest.package }),
      ...(expires === undefined ? {} : { expiresAt: futureTime(expires, Date.now()) }),
      ...(owner === undefined ? {} : { owner }),
    };
    const api = await session.connect();
    const made = await api.send({
      method: "POST",
      path: "/tokens",
      body,
      schema: createdTokenSchema,
    });
    session.output.result(made, () => made.token);
    if (!session.output.json) {
      session.output.note(
        `Token ${made.id} of ${made.owner}, expires: ${formatTime(made.expiresAt)}. It is shown this once: keep it.`,
      );
    }
  });
}

function addList(group: Command): void {
  const command = group
    .command("list")
    .alias("ls")
    .summary("list tokens")
    .description("Lists your tokens, or everybody's for administrators. Never shows their text.");
  withExamples(withCommonOptions(withListOptions(command)), [
    "token list",
    "token list --all --json",
  ]).action(async (_options: unknown, self: Command) => {
    await printList(self, {
      path: "/tokens",
      item: tokenSchema,
      heads: ["ID", "OWNER", "DESCRIPTION", "SCOPES", "REGISTRIES", "CREATED", "EXPIRES"],
      row: (item) => [
        item.id,
        item.owner,
        item.description,
        item.scopes.join(","),
        item.registries.join(",") || "all",
        formatTime(item.createdAt),
        formatTime(item.expiresAt),
      ],
    });
  });
}

function addRevoke(group: Command): void {
  const revoke = group
    .command("revoke")
    .summary("end tokens")
    .description("Ends tokens at once, by their ids (entrepot token list).")
    .argument("<id...>");
  withExamples(withCommonOptions(revoke), ["token revoke 4fGh2kLm"]).action(
    async (ids: readonly string[], _options: unknown, command: Command) => {
      const session = openSession(command);
      const own = ids.find((id) => id.startsWith("ep_"));
      // A token's text must not travel in a URL, where logs keep it.
      if (own !== undefined)
        throw usageError("Name the token's id, not its text.", "See: entrepot token list");
      const api = await session.connect();
      for (const id of ids) {
        await api.send({ method: "DELETE", path: apiPath`/tokens/${id}`, schema: objectSchema });
      }
      session.output.result({ revoked: ids }, () => ids.map((id) => `Revoked ${id}.`).join("\n"));
    },
  );
}
