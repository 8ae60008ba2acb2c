import { type Command, Option } from "commander";
import * as z from "zod";
import type { ServeFlags } from "../serve/flags.ts";
import { parseOptions, withExamples } from "./session.ts";

/** Names without values: what the texts mean is for the server to judge, together with its other settings. */
const flagsSchema: z.ZodType<ServeFlags> = z.object({
  host: z.string().exactOptional(),
  port: z.string().exactOptional(),
  stores: z.string().exactOptional(),
  data: z.string().exactOptional(),
  baseUrl: z.string().exactOptional(),
  cert: z.string().exactOptional(),
  key: z.string().exactOptional(),
  limits: z.string().exactOptional(),
  downloads: z.string().exactOptional(),
  rateLimit: z.string().exactOptional(),
  proxies: z.string().exactOptional(),
  log: z.string().exactOptional(),
  logLevel: z.string().exactOptional(),
  config: z.string().exactOptional(),
  trustProxy: z.boolean().exactOptional(),
  webhooksPrivate: z.boolean().exactOptional(),
});

/** `serve`: the whole registry in this process. */
export function addServeCommand(program: Command): void {
  const serve = program
    .command("serve")
    .summary("run a server on this machine")
    .description(
      "Runs a registry in this process, with everything in one folder, until Ctrl-C. Every flag can also be an environment variable (ENTREPOT_PORT…) or stand in the --config file.",
    )
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .option("--port <port>", "port to listen on, 0 for any free one (default: 5050)")
    .addOption(
      new Option("--stores <where>", "one folder, or table and bucket of a deployment").choices([
        "local",
        "aws",
      ]),
    )
    .option("--data <folder>", "where everything is kept (default: ./data)")
    .option("--base-url <url>", "URL that clients use, when it is not the one they see")
    .option("--cert <file>", "TLS certificate chain (PEM)")
    .option("--key <file>", "its private key (PEM)")
    .addOption(
      new Option("--limits <limits>", "enforce the body sizes of AWS Lambda").choices([
        "none",
        "lambda",
      ]),
    )
    .addOption(
      new Option("--downloads <how>", "send files directly, or redirect to storage").choices([
        "inline",
        "redirect",
      ]),
    )
    .option("--rate-limit <requests>", "per minute and token, 0 for none (default: 0)")
    .option("--trust-proxy", "believe X-Forwarded-… headers of the proxy in front")
    .option("--proxies <number>", "how many proxies of yours stand in front (default: 1)")
    .option("--webhooks-private", "let webhooks reach http, loopback and private networks")
    .addOption(new Option("--log <format>", "how to log").choices(["auto", "pretty", "json"]))
    .option("--log-level <level>", "debug, info, warn, error or silent (default: info)")
    .option("--config <file>", "settings as JSON");
  withExamples(serve, [
    "serve",
    "serve --host 0.0.0.0 --port 443 --cert chain.pem --key key.pem --data /srv/entrepot",
    "serve --limits lambda --downloads redirect",
  ]).action(async (_options: unknown, command: Command) => {
    const flags = parseOptions(command, flagsSchema);
    const { restartWithFrugalMemory } = await import("../serve/memory.ts");
    restartWithFrugalMemory();
    // Loaded only here: the server's modules would make every other command start slowly.
    const { runServe } = await import("../serve/serve.ts");
    await runServe(flags);
  });
}
