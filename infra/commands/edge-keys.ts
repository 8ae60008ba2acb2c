import { readFile } from "node:fs/promises";
import { KMSClient } from "@aws-sdk/client-kms";
import * as z from "zod";
import { KmsKeys } from "../../shared/adapters/kms/kms-keys.ts";
import { loadConfig } from "../config/load.ts";
import { writeTicketKeys } from "../edge/ticket-keys.ts";

/** Where `npm run deploy` has the CDK write what the stacks give. */
const OUTPUTS_FILE = ".build/outputs.json";

const outputsSchema = z.record(
  z.string(),
  z.looseObject({
    TicketKeyStoreArn: z.string().optional(),
    TicketMacKeyArn: z.string().optional(),
  }),
);

/**
 * `npm run edge-keys`: gives CloudFront the keys of upload tickets, of this generation and the next one. Needed once
 * after the edge was deployed, and 12 hours after its generation was raised (docs/runbook.md). Takes the credentials
 * of the environment, which must be allowed `kms:GenerateMac` and `cloudfront-keyvaluestore:*` of the store.
 */
async function run(): Promise<void> {
  const { name, edge } = await loadConfig();
  if (edge === undefined) throw new Error("entrepot.config.ts has no `edge`.");
  const outputs = outputsSchema.parse(JSON.parse(await readFile(OUTPUTS_FILE, "utf8")));
  const { TicketKeyStoreArn: arn, TicketMacKeyArn: macKeyId } = outputs[`${name}-edge`] ?? {};
  if (arn === undefined || macKeyId === undefined) {
    throw new Error(`${OUTPUTS_FILE} knows no edge of "${name}"; run \`npm run deploy\` first.`);
  }
  const [, , , region = ""] = macKeyId.split(":");
  const client = new KMSClient({ region });
  const keys = new KmsKeys({ client, macKeyId });
  const store = { arn, credentials: await client.config.credentials() };
  await writeTicketKeys(store, edge.ticketGeneration, (purpose) => keys.deriveKey(purpose));
  const { ticketGeneration: now } = edge;
  process.stdout.write(`CloudFront knows the upload keys of generations ${now} and ${now + 1}.\n`);
}

try {
  await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
