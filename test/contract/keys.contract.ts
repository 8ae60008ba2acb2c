import { createHash, createPublicKey, verify } from "node:crypto";
import { expect, test } from "vitest";
import type { Keys } from "../../shared/ports/keys.ts";

/** What the port `Keys` promises. `reopen` gives the same deployment's keys to another process. */
export function keysContract(
  open: () => Promise<{ keys: Keys; reopen: () => Promise<Keys> }>,
): void {
  test("signs so that the public key that it names verifies it", async () => {
    const { keys } = await open();
    const { keyId, signatureBase64 } = await keys.sign("left-pad@1.3.0:sha512-x");
    const [publicKey] = await keys.publicKeys();
    expect(publicKey?.keyId).toBe(keyId);
    const der = Buffer.from(publicKey?.spkiBase64 ?? "", "base64");
    expect(keyId).toBe(`SHA256:${createHash("sha256").update(der).digest("base64")}`);
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    const signature = Buffer.from(signatureBase64, "base64");
    expect(verify("sha256", Buffer.from("left-pad@1.3.0:sha512-x"), key, signature)).toBe(true);
    expect(verify("sha256", Buffer.from("left-pad@1.3.1:sha512-x"), key, signature)).toBe(false);
  });

  test("has a MAC for each purpose and message, the same in every process", async () => {
    const { keys, reopen } = await open();
    const mac = await keys.mac("tickets", "message");
    expect(mac).toHaveLength(32);
    expect(Buffer.from(await keys.mac("tickets", "message"))).toEqual(Buffer.from(mac));
    expect(Buffer.from(await (await reopen()).mac("tickets", "message"))).toEqual(Buffer.from(mac));
    expect(Buffer.from(await keys.mac("tokens", "message"))).not.toEqual(Buffer.from(mac));
    expect(Buffer.from(await keys.mac("tickets", "another"))).not.toEqual(Buffer.from(mac));
  });
}
