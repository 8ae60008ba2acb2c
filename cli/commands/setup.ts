import type { Command } from "commander";
import * as z from "zod";
import { ApiClient } from "../client/api-client.ts";
import { findConnection } from "../client/connection.ts";
import { CliError, EXIT, usageError } from "../client/failures.ts";
import { getRegistry } from "../client/files.ts";
import type { RegistryView } from "../client/schemas.ts";
import { setupClients, type SetupClient, type SetupStep } from "../client/setup/setup-clients.ts";
import { formatTable } from "../client/text.ts";
import { openSession, parseOptions, withCommonOptions, withExamples } from "./session.ts";

/** `setup <registry> [client]`: configuration to copy. */
export function addSetupCommand(program: Command): void {
  const setup = program
    .command("setup")
    .summary("print the configuration of a client")
    .description(
      "Prints what makes a client use a registry, ready to copy. Without a client: which there are.",
    )
    .argument("<registry>")
    .argument("[client]", "such as npm, pnpm, yarn, yarn-berry, bun, curl, wget")
    .option("--with-token", "write your token into it, in place of a placeholder");
  withExamples(withCommonOptions(setup), [
    "setup my-npm",
    "setup my-npm pnpm",
    "setup builds curl --with-token",
  ]).action(
    async (registry: string, client: string | undefined, _options: unknown, command: Command) =>
      runSetup(registry, client, command),
  );
}

const flagsSchema = z.object({ url: z.string().optional(), withToken: z.boolean().default(false) });

async function runSetup(
  slug: string,
  clientName: string | undefined,
  command: Command,
): Promise<void> {
  const { output } = openSession(command);
  const { url: flagUrl, withToken } = parseOptions(command, flagsSchema);
  const connection = await findConnection(process.env, flagUrl);
  if (withToken && connection.token === undefined) {
    throw usageError(
      "There is no token to write.",
      `Log in first: entrepot login ${connection.url}`,
    );
  }
  const registry = await getRegistry(new ApiClient(connection), slug);
  const clients = setupClients(registry.ecosystem);
  if (clientName === undefined) {
    const rows = clients.map(({ name, description }) => ({ name, description }));
    output.result({ registry: slug, ecosystem: registry.ecosystem, clients: rows }, () =>
      [
        formatTable(
          ["CLIENT", "FOR"],
          rows.map(({ name, description }) => [name, description]),
        ),
        "",
        `Choose one: entrepot setup ${slug} <client>`,
      ].join("\n"),
    );
    return;
  }
  const client = requireClient(clients, clientName, registry.ecosystem);
  const canPublish = takesPackages(registry);
  if (!output.json && !canPublish) {
    output.note(`${slug} takes no packages: leave out what publishes.`);
  }
  const allSteps = client.steps({
    url: publicUrl(registry, connection.url),
    registry: slug,
    isPublic: registry.visibility === "public",
    isSource: registry.kind === "source",
    takesPackages: canPublish,
    ...(withToken && connection.token !== undefined ? { token: connection.token } : {}),
  });
  const steps = allSteps.filter(({ publishes }) => canPublish || publishes !== true);
  output.result({ registry: slug, client: client.name, steps }, () =>
    steps.map(words).join("\n\n"),
  );
}

const takesPackages = ({ kind, publishTo }: RegistryView): boolean =>
  kind === "source" || publishTo !== undefined;

/** The URL that the server calls its own: the one we reached it by may be a tunnel's. */
function publicUrl(registry: RegistryView, reached: string): string {
  const { url, slug } = registry;
  // One segment, which names the protocol, and the registry's.
  const match = url?.endsWith(`/${slug}/`) === true ? /^(.+)\/[^/]+\/[^/]+\/$/.exec(url) : null;
  return match?.[1] ?? reached;
}

function words(step: SetupStep): string {
  return `${step.title}\n\n${step.text}`;
}

function requireClient(
  clients: readonly SetupClient[],
  name: string,
  ecosystem: string,
): SetupClient {
  const found = clients.find((client) => client.name === name);
  if (found !== undefined) return found;
  const names = clients.map((client) => client.name).join(", ");
  throw new CliError(EXIT.usage, `There is no client "${name}" for ${ecosystem} registries here.`, {
    hint:
      names === ""
        ? "Update this command: it does not know the ecosystem."
        : `Choose one of: ${names}`,
  });
}
