import { ticketPurpose } from "../../functions/oci/edge/upload-tickets.ts";
import { ticketSlot } from "./names.ts";
import { type SigningCredentials, signForAllRegions } from "./sigv4a.ts";

const SERVICE = "cloudfront-keyvaluestore";
const TIMEOUT_MS = 15_000;
const STORE_ARN = /^arn:aws[a-z-]*:cloudfront::(\d{12}):key-value-store\/[A-Za-z0-9-]{1,64}$/;

/** A KeyValueStore and who may change it. */
export interface TicketStore {
  readonly arn: string;
  readonly credentials: SigningCredentials;
  /** Of the store's API; AWS' own when absent. */
  readonly endpoint?: string;
}

/**
 * Writes the keys of a generation and of the next one, whose slots are what the edge looks at: whatever stood there
 * before is forgotten, and so are tickets under older keys. The next one is there before any function signs with it.
 *
 * @param deriveKey The key of a purpose, as the functions' own.
 * @throws {Error} with what the API answered.
 */
export async function writeTicketKeys(
  store: TicketStore,
  generation: number,
  deriveKey: (purpose: string) => Promise<Uint8Array>,
): Promise<void> {
  const Puts = await Promise.all(
    [generation, generation + 1].map(async (each) => ({
      Key: ticketSlot(each),
      Value: Buffer.from(await deriveKey(ticketPurpose(each))).toString("base64url"),
    })),
  );
  // Its ETag, so that nobody else's change is lost.
  const described = await call(store, "GET", "", {});
  const etag = described.headers.get("etag") ?? "";
  await call(store, "POST", "/keys", { etag, body: JSON.stringify({ Puts }) });
}

/** Whether the edge knows the key of a generation. @throws {Error} with what the API answered. */
export async function hasTicketKey(store: TicketStore, generation: number): Promise<boolean> {
  return (await ask(store, "GET", `/keys/${ticketSlot(generation)}`, {})).status === 200;
}

async function call(...request: Parameters<typeof ask>): Promise<Response> {
  const response = await ask(...request);
  if (response.ok) return response;
  throw await refusal(response);
}

/** Answers 404 for what is not there. https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_kvs_UpdateKeys.html */
async function ask(
  { arn, credentials, endpoint }: TicketStore,
  method: string,
  path: string,
  { etag, body = "" }: { readonly etag?: string; readonly body?: string },
): Promise<Response> {
  const [, account] = STORE_ARN.exec(arn) ?? [];
  if (account === undefined) throw new Error(`"${arn}" is no ARN of a KeyValueStore.`);
  const origin = endpoint ?? `https://${account}.cloudfront-kvs.global.api.aws`;
  const url = new URL(`/key-value-stores/${encodeURIComponent(arn)}${path}`, origin);
  const headers = signForAllRegions(
    {
      method,
      url,
      headers: etag === undefined ? {} : { "content-type": "application/json", "if-match": etag },
      body,
    },
    { service: SERVICE, credentials, now: new Date() },
  );
  const response = await fetch(url, {
    method,
    headers,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === "" ? {} : { body }),
  });
  if (response.ok || response.status === 404) return response;
  throw await refusal(response);
}

async function refusal(response: Response): Promise<Error> {
  const text = (await response.text()).slice(0, 500);
  return new Error(`The KeyValueStore answered ${response.status}: ${text}`);
}
