import { KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalKeys } from "../../shared/adapters/filesystem/local-keys.ts";
import { KmsKeys } from "../../shared/adapters/kms/kms-keys.ts";
import { KeysUnavailableError } from "../../shared/ports/keys.ts";
import type { JsonService } from "../support/aws/json-service.ts";
import { MAC_KEY, SIGNING_KEY, startKms } from "../support/aws/kms-service.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { keysContract } from "./keys.contract.ts";

describe("LocalKeys", () => {
  let folder: TemporaryFolder;
  beforeAll(async () => {
    folder = await temporaryFolder("keys");
  });
  afterAll(async () => folder[Symbol.asyncDispose]());

  keysContract(async () => ({
    keys: await LocalKeys.open(folder.path),
    reopen: () => LocalKeys.open(folder.path),
  }));
});

describe("KmsKeys", () => {
  let kms: JsonService;
  beforeAll(async () => {
    kms = await startKms();
  });
  afterAll(async () => kms[Symbol.asyncDispose]());

  const open = async (ids = { signingKeyId: SIGNING_KEY, macKeyId: MAC_KEY }): Promise<KmsKeys> => {
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const client = new KMSClient({
      endpoint: kms.url,
      region: "eu-central-1",
      credentials,
      maxAttempts: 1,
    });
    return new KmsKeys({ client, ...ids });
  };

  keysContract(async () => ({ keys: await open(), reopen: open }));

  test("asks KMS once for each purpose, however many messages there are", async () => {
    kms.calls.clear();
    const keys = await open();
    const messages = Array.from({ length: 50 }, (_, index) => `message ${index}`);
    await Promise.all(messages.map((message) => keys.mac("tickets", message)));
    await keys.mac("tokens", "message");
    expect(kms.calls.get("GenerateMac")).toBe(2);
  });

  test("asks KMS once for the public key and each time for a signature", async () => {
    kms.calls.clear();
    const keys = await open();
    await keys.sign("one");
    await keys.sign("two");
    await keys.publicKeys();
    expect(Object.fromEntries(kms.calls)).toEqual({ GetPublicKey: 1, Sign: 2 });
  });

  test("is unavailable where KMS refuses, and works again when it does not", async () => {
    const keys = await open({ signingKeyId: "alias/other", macKeyId: "alias/other" });
    await expect(keys.sign("message")).rejects.toBeInstanceOf(KeysUnavailableError);
    await expect(keys.mac("tickets", "message")).rejects.toBeInstanceOf(KeysUnavailableError);
    kms.calls.clear();
    await expect(keys.mac("tickets", "message")).rejects.toBeInstanceOf(KeysUnavailableError);
    expect(kms.calls.get("GenerateMac")).toBe(1);
  });
});
