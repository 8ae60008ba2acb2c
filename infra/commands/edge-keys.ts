import { Aws } from "./aws-call.ts";
import { type CommandOptions, runCommand } from "./options.ts";
import { giveTicketKeys } from "./ticket-keys.ts";

/**
 * `npm run edge-keys`: forgets the upload keys of generations before the one in the options. The second step of a
 * change of keys (docs/runbook.md, "Rotate the upload key"); the first keys are given by `npm run deploy`.
 */
async function replaceKeys({ config }: CommandOptions): Promise<void> {
  await giveTicketKeys(await Aws.open(config), config, "always");
  process.stdout.write("CloudFront knows the upload keys of this generation and the next one.\n");
}

await runCommand(replaceKeys);
