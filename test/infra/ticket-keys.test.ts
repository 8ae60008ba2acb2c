import { createPublicKey, verify } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { once } from "node:events";
import { afterAll, expect, test } from "vitest";
import { signForAllRegions, signingKey } from "../../infra/edge/sigv4a.ts";
import { hasTicketKey, writeTicketKeys } from "../../infra/edge/ticket-keys.ts";

/** AWS' own test vector of the derivation (aws-c-auth, key_derivation_tests.c). */
const CREDENTIALS = {
  accessKeyId: "AKISORANDOMAASORANDOM",
  secretAccessKey: "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom",
};
const VECTOR = "7fd3bd010c0d9c292141c2b77bfbde1042c92e6836fff749d1269ec890fca1bd";
const ARN = "arn:aws:cloudfront::111122223333:key-value-store/0b1c2d3e-0000-4000-8000-000000000000";

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
const received: Received[] = [];
const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const { method = "", url = "", headers } = incoming;
    received.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    const isStale = method === "POST" && headers["if-match"] !== "version-1";
    const status = isStale ? 409 : url.endsWith("/ticket-key-0") ? 404 : 200;
    outgoing.writeHead(status, { etag: "version-1" }).end(isStale ? "stale" : "{}");
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
afterAll(() => server.close());
const address = server.address();
const port = typeof address === "object" && address !== null ? address.port : 0;
const store = { arn: ARN, credentials: CREDENTIALS, endpoint: `http://127.0.0.1:${port}` };

test("The key that signs for all regions is the one that AWS derives", () => {
  const { d = "" } = signingKey(CREDENTIALS).export({ format: "jwk" });
  expect(Buffer.from(d, "base64url").toString("hex")).toBe(VECTOR);
});

test("A signature covers the host, the time, the regions and every header", () => {
  const url = new URL(`https://example.com/key-value-stores/${encodeURIComponent(ARN)}`);
  const request = { method: "GET", url, headers: { "if-match": "1" }, body: "" };
  const options = { service: "s", credentials: CREDENTIALS, now: new Date(0) };
  const { authorization = "" } = signForAllRegions(request, options);
  expect(authorization).toContain("Credential=AKISORANDOMAASORANDOM/19700101/s/aws4_request,");
  expect(authorization).toContain(
    "SignedHeaders=host;if-match;x-amz-content-sha256;x-amz-date;x-amz-region-set,",
  );
  const signature = Buffer.from(authorization.split("Signature=")[1] ?? "", "hex");
  const publicKey = createPublicKey(signingKey(CREDENTIALS));
  // DER of an ECDSA signature; of another text it does not hold.
  expect(signature[0]).toBe(0x30);
  expect(verify("sha256", Buffer.from("another"), publicKey, signature)).toBe(false);
});

test("Both generations are written at once, against the version that was read", async () => {
  await writeTicketKeys(store, 3, async (purpose) => Buffer.from(purpose));
  const [described, updated] = received;
  expect(described).toMatchObject({ method: "GET" });
  expect(updated).toMatchObject({
    method: "POST",
    url: `/key-value-stores/${encodeURIComponent(ARN)}/keys`,
  });
  expect(updated?.headers["if-match"]).toBe("version-1");
  const value = (purpose: string): string => Buffer.from(purpose).toString("base64url");
  expect(JSON.parse(updated?.body ?? "")).toEqual({
    Puts: [
      { Key: "ticket-key-1", Value: value("oci-upload-ticket-3") },
      { Key: "ticket-key-0", Value: value("oci-upload-ticket-4") },
    ],
  });
});

test("A generation whose slot is empty is not known yet", async () => {
  expect(await hasTicketKey(store, 1)).toBe(true);
  expect(await hasTicketKey(store, 2)).toBe(false);
});

test("What is no store is refused before anything is derived or sent", async () => {
  const arn = "arn:aws:s3:::bucket";
  await expect(
    writeTicketKeys({ ...store, arn }, 1, async () => new Uint8Array(32)),
  ).rejects.toThrow("is no ARN of a KeyValueStore");
});
