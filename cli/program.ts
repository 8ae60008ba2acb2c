import { Command } from "commander";
import { addAuditCommand } from "./commands/audit.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addGcCommand } from "./commands/gc.ts";
import { addLoginCommands } from "./commands/login.ts";
import { addPackageCommands } from "./commands/package.ts";
import { addPrefetchCommand } from "./commands/prefetch.ts";
import { addProxyCommand } from "./commands/proxy.ts";
import { addPullCommand } from "./commands/pull.ts";
import { addPushCommand } from "./commands/push.ts";
import { addRegistryCommands } from "./commands/registry.ts";
import { addServeCommand } from "./commands/serve.ts";
import { addSetupCommand } from "./commands/setup.ts";
import { addTokenCommands } from "./commands/token.ts";
import { addUpstreamCommands } from "./commands/upstream.ts";
import { addWebhookCommands } from "./commands/webhook.ts";

const ENVIRONMENT = `
Environment:
  ENTREPOT_URL     server to speak to
  ENTREPOT_TOKEN   token to use, in place of a login
  ENTREPOT_CONFIG  file that logins are saved in

Exit codes:
  0 done   1 failed   2 wrong usage   3 not allowed   4 not found   5 conflict
  6 server cannot be reached or is busy   130 interrupted

Examples:
  $ entrepot serve
  $ entrepot login http://127.0.0.1:5050
  $ entrepot registry create builds --ecosystem generic
  $ entrepot push builds app.tar.gz --package app --version 1.2.0
  $ entrepot pull builds app@1.2.0`;

export const USAGE_HINT = "(add --help for what is possible)";

/**
 * The whole command line. Parsing it throws commander's own errors instead of ending the process; it has told them
 * on standard error by then, unless it is `silent`.
 */
export function createProgram(version: string, { silent = false } = {}): Command {
  const program = new Command("entrepot")
    .description("A universal package registry: the server, and the command to work with it.")
    .version(version)
    // So that `push --version 1.0` is the package's version and not ours.
    .enablePositionalOptions()
    .showHelpAfterError(silent ? false : USAGE_HINT)
    .configureOutput(silent ? { outputError: () => undefined } : {})
    .exitOverride()
    .addHelpText("after", ENVIRONMENT);
  addServeCommand(program);
  addLoginCommands(program);
  addRegistryCommands(program);
  addUpstreamCommands(program);
  addTokenCommands(program);
  addPushCommand(program);
  addPullCommand(program);
  addPackageCommands(program);
  addPrefetchCommand(program);
  addProxyCommand(program);
  addSetupCommand(program);
  addWebhookCommands(program);
  addAuditCommand(program);
  addGcCommand(program);
  addCompletionCommand(program);
  return program;
}
