import { KMSClient } from "@aws-sdk/client-kms";
import { KmsKeys } from "../../shared/adapters/kms/kms-keys.ts";
import type { Config } from "../config/schema.ts";
import { hasTicketKey, writeTicketKeys } from "../edge/ticket-keys.ts";
import type { Aws } from "./aws-call.ts";
import { CommandError } from "./options.ts";
import { readStackOutputs } from "./stack-outputs.ts";

/**
 * Gives CloudFront the keys of upload tickets, of the generation in the options and the next one. Takes the
 * credentials of whoever works here, which must be allowed `kms:GenerateMac` of the deployment's key and
 * `cloudfront-keyvaluestore:*` of the store.
 *
 * @param when `missing`: only when CloudFront does not know the generation's key yet, so that the key before it stays.
 * @returns Whether something was written.
 * @throws {CommandError} when the edge is not deployed.
 */
export async function giveTicketKeys(
  aws: Aws,
  config: Config,
  when: "missing" | "always",
): Promise<boolean> {
  if (config.edge === undefined) throw new CommandError("The options have no `edge`.");
  const stack = `${config.name}-edge`;
  const outputs = await readStackOutputs(aws, stack);
  const arn = outputs.get("TicketKeyStoreArn");
  const macKeyId = outputs.get("TicketMacKeyArn");
  if (arn === undefined || macKeyId === undefined) {
    throw new CommandError(`Stack ${stack} does not name its keys; run \`npm run deploy\` first.`);
  }
  const client = new KMSClient({ region: aws.region });
  const keys = new KmsKeys({ client, macKeyId });
  const store = { arn, credentials: await client.config.credentials() };
  const { ticketGeneration } = config.edge;
  if (when === "missing" && (await hasTicketKey(store, ticketGeneration))) return false;
  await writeTicketKeys(store, ticketGeneration, (purpose) => keys.deriveKey(purpose));
  return true;
}
