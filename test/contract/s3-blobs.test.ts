import { createServer } from "node:http";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { S3Blobs } from "../../shared/adapters/s3/s3-blobs.ts";
import { copyObject } from "../../shared/adapters/s3/s3-copy.ts";
import { parseUploadId } from "../../shared/adapters/s3/s3-keys.ts";
import { BlobsUnavailableError } from "../../shared/ports/blobs.ts";
import { S3_PROGRAM, type S3Server, s3ProgramPath, startS3Server } from "../support/s3-server.ts";
import {
  type BlobsUnderTest,
  bytesOf,
  freshBytes,
  MIB,
  sha256Of,
  useTicket,
} from "./blobs/harness.ts";
import { blobsContract } from "./blobs.contract.ts";

const isMissing = s3ProgramPath() === undefined;
const isRequired = process.env["CI"] === "true";

describe.skipIf(isMissing && !isRequired)(`S3Blobs (needs ${S3_PROGRAM})`, () => {
  let server: S3Server;
  let client: S3Client;
  let store: BlobsUnderTest;

  beforeAll(async () => {
    server = await startS3Server();
    client = new S3Client(server.clientConfig);
    const bucket = { Bucket: server.bucket };
    const blobs = new S3Blobs({ bucket: server.bucket, client: server.clientConfig });
    const leftovers = async () => {
      const staged = await client.send(new ListObjectsV2Command({ ...bucket, Prefix: "staging/" }));
      const uploads = await client.send(new ListMultipartUploadsCommand(bucket));
      return [...(staged.Contents ?? []), ...(uploads.Uploads ?? [])].map(({ Key }) => Key ?? "");
    };
    store = { blobs, origin: server.endpoint, leftovers, clockStepMs: 1000 };
  });

  afterAll(() => server?.stop());

  blobsContract(() => store);

  it("sweeps staged objects and uploads of interrupted puts, but not those that clients began", async () => {
    const bucket = { Bucket: server.bucket };
    await client.send(new PutObjectCommand({ ...bucket, Key: "staging/put/x", Body: "x" }));
    for (const Key of ["staging/put/y", `blobs/sha256/${"0".repeat(64)}`]) {
      await client.send(new CreateMultipartUploadCommand({ ...bucket, Key }));
    }
    const { uploadId } = await store.blobs.beginMultipart();
    await store.blobs.sweep(Date.now() - 60_000);
    expect(await store.leftovers()).toHaveLength(4);
    await store.blobs.sweep(Date.now() + 60_000);
    expect(await store.leftovers()).toHaveLength(1);
    expect(await store.blobs.listParts(uploadId)).toEqual([]);
  });

  it("completes an upload that S3 had joined already when we were interrupted", async () => {
    const { blobs } = store;
    const bytes = freshBytes(10);
    const { uploadId } = await blobs.beginMultipart();
    const part = { uploadId, partNumber: 1, sizeBytes: 10, expiresInSeconds: 60 };
    const sent = await useTicket(store, await blobs.partTicket(part), { body: bytes });
    const { key, id } = parseUploadId(uploadId) ?? { key: "", id: "" };
    await client.send(
      new CompleteMultipartUploadCommand({
        Bucket: server.bucket,
        Key: key,
        UploadId: id,
        MultipartUpload: {
          Parts: [{ PartNumber: 1, ETag: sent.headers.get("etag") ?? undefined }],
        },
      }),
    );
    const stored = await blobs.completeMultipart(uploadId, { partCount: 1 });
    expect(stored.sha256).toBe(sha256Of(bytes));
    expect(await store.leftovers()).toEqual([]);
  });

  it("copies what is too large for one CopyObject in parts", async () => {
    const bytes = freshBytes(13 * MIB);
    const { sha256, sizeBytes } = await store.blobs.put(bytes);
    const target = sha256Of(freshBytes(1));
    await copyObject(
      { client, name: server.bucket, leftovers: "remove" },
      `blobs/sha256/${sha256}`,
      `blobs/sha256/${target}`,
      sizeBytes,
      { maxSingleCopyBytes: 12 * MIB, partBytes: 5 * MIB },
    );
    expect((await bytesOf(await store.blobs.open(target)))?.equals(bytes)).toBe(true);
    expect(await store.leftovers()).toEqual([]);
  });

  it("signs part tickets without the checksum of an empty body", async () => {
    const { uploadId } = await store.blobs.beginMultipart();
    const ticket = await store.blobs.partTicket({
      uploadId,
      partNumber: 1,
      sizeBytes: 10,
      expiresInSeconds: 60,
    });
    expect(ticket.url.toLowerCase()).not.toContain("checksum");
    expect(ticket.url).toContain("content-length");
  });

  it("signs length and checksum of upload tickets as headers", async () => {
    const ticket = await store.blobs.uploadTicket({
      sha256: sha256Of(freshBytes(1)),
      sizeBytes: 1,
      expiresInSeconds: 60,
    });
    expect(new URL(ticket.url).searchParams.get("X-Amz-SignedHeaders")).toBe(
      "content-length;host;x-amz-checksum-sha256",
    );
  });

  it("takes a missing bucket for a failure, never for a missing blob", async () => {
    const blobs = new S3Blobs({ bucket: "no-such-bucket", client: server.clientConfig });
    const sha256 = sha256Of(freshBytes(1));
    await expect(blobs.stat(sha256)).rejects.toThrow(BlobsUnavailableError);
    await expect(blobs.ping()).rejects.toThrow(BlobsUnavailableError);
    await expect(blobs.open(sha256)).rejects.toThrow("bucket does not exist");
    await expect(blobs.listParts(uploadIdOfNobody)).rejects.toThrow("bucket does not exist");
  });

  it("lets the upload be aborted by hand and forgets it", async () => {
    const { uploadId } = await store.blobs.beginMultipart();
    const { key: Key, id: UploadId } = parseUploadId(uploadId) ?? { key: "", id: "" };
    await client.send(new AbortMultipartUploadCommand({ Bucket: server.bucket, Key, UploadId }));
    await store.blobs.abortMultipart(uploadId);
    expect(await store.leftovers()).toEqual([]);
  });
});

const uploadIdOfNobody = "01234567-0123-0123-0123-0123456789ab.dW5rbm93bg";

describe("S3Blobs over an S3 that fails", () => {
  const client = {
    region: "us-east-1",
    forcePathStyle: true,
    maxAttempts: 2,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  };
  const sha256 = sha256Of(Buffer.from("x"));
  const calls = (blobs: S3Blobs) => [
    () => blobs.put(freshBytes(10)),
    () => blobs.put(new Blob([freshBytes(9 * MIB)]).stream()),
    () => blobs.open(sha256),
    () => blobs.stat(sha256),
    () => blobs.remove(sha256),
    () => blobs.list({ limit: 1 }),
    () => blobs.beginMultipart(),
    () => blobs.listParts(uploadIdOfNobody),
    () => blobs.completeMultipart(uploadIdOfNobody, { partCount: 1 }),
    () => blobs.abortMultipart(uploadIdOfNobody),
    () => blobs.listMultipart(),
    () => blobs.sweep(0),
    () => blobs.ping(),
  ];

  it("says that it is unavailable when nothing listens", async () => {
    const blobs = new S3Blobs({
      bucket: "bucket",
      client: { ...client, endpoint: "http://127.0.0.1:1" },
    });
    for (const call of calls(blobs)) await expect(call()).rejects.toThrow(BlobsUnavailableError);
  });

  it("says that it is unavailable when S3 asks to slow down", async () => {
    const body = "<Error><Code>SlowDown</Code><Message>Please reduce your rate.</Message></Error>";
    const server = createServer((request, response) => {
      request.resume();
      request.on("end", () => response.writeHead(503).end(body));
    });
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const blobs = new S3Blobs({
      bucket: "bucket",
      client: { ...client, endpoint: `http://127.0.0.1:${port}` },
    });
    await Promise.all(
      calls(blobs).map((call) => expect(call()).rejects.toThrow(BlobsUnavailableError)),
    );
    server.closeAllConnections();
    server.close();
  });
});
