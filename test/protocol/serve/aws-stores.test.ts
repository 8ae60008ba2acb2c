import { createHash, randomBytes } from "node:crypto";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTable } from "../../../shared/adapters/dynamodb/create-table.ts";
import { DynamoTable } from "../../../shared/adapters/dynamodb/dynamo-table.ts";
import { directKey } from "../../../shared/adapters/s3/s3-keys.ts";
import { OUTBOX_SHARDS, outboxQuery } from "../../../shared/records/outbox.ts";
import { startKms, MAC_KEY, SIGNING_KEY } from "../../support/aws/kms-service.ts";
import { type DynamoSource, dynamoSource, openDynamo } from "../../support/dynoxide.ts";
import { describeWhen } from "../../support/programs.ts";
import {
  S3_PROGRAM,
  s3ProgramPath,
  type S3Server,
  startS3Server,
} from "../../support/s3-server.ts";
import { startServer, type TestServer } from "../../support/server.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const IMAGE = "/v2/images/team/app";

const digestOf = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

function manifestOf(...blobs: readonly Uint8Array[]): string {
  const [config, ...layers] = blobs.map((bytes) => ({
    mediaType: "application/vnd.oci.image.layer.v1.tar",
    digest: `sha256:${digestOf(bytes)}`,
    size: bytes.length,
  }));
  return JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers });
}

describeWhen(
  s3ProgramPath() === undefined ? undefined : dynamoSource(),
  `${S3_PROGRAM} and dynoxide`,
  "entrepot serve --stores aws",
  (source: DynamoSource) => {
    const stack = new AsyncDisposableStack();
    let server: TestServer;
    let s3: S3Server;
    let bucket: S3Client;
    let table: DynamoTable;

    beforeAll(async () => {
      const dynamo = stack.use(await openDynamo(source));
      s3 = await startS3Server();
      stack.defer(() => s3.stop());
      const kms = stack.use(await startKms());
      const client = dynamo.client();
      await createTable(client, "entrepot");
      table = new DynamoTable({ client, tableName: "entrepot" });
      stack.defer(() => table.close());
      bucket = new S3Client({ ...s3.clientConfig, requestChecksumCalculation: "WHEN_REQUIRED" });
      server = await startServer({
        args: ["--stores", "aws"],
        environment: {
          AWS_REGION: "us-east-1",
          AWS_ACCESS_KEY_ID: s3.clientConfig.credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: s3.clientConfig.credentials.secretAccessKey,
          AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
          AWS_ENDPOINT_URL_S3: s3.endpoint,
          AWS_ENDPOINT_URL_KMS: kms.url,
          ENTREPOT_TABLE: "entrepot",
          ENTREPOT_BUCKET: s3.bucket,
          ENTREPOT_SIGNING_KEY: SIGNING_KEY,
          ENTREPOT_MAC_KEY: MAC_KEY,
        },
      });
      stack.defer(() => server.stop());
      await server.createRegistry({ slug: "images", ecosystem: "oci", kind: "source" });
    });
    afterAll(() => stack.disposeAsync());

    const ask = (path: string, init: RequestInit = {}): Promise<Response> => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${server.adminToken}`);
      return fetch(server.url + path, { ...init, headers });
    };
    const begin = async (): Promise<string> => {
      const begun = await ask(`${IMAGE}/blobs/uploads/`, { method: "POST" });
      expect(begun.status).toBe(202);
      return begun.headers.get("location") ?? "";
    };
    const putManifest = (tag: string, body: string): Promise<Response> =>
      ask(`${IMAGE}/manifests/${tag}`, {
        method: "PUT",
        headers: { "content-type": MANIFEST },
        body,
      });
    const putDirectly = async (
      location: string,
      sha256: string,
      Body: Uint8Array,
      checked = true,
    ) => {
      const stage = /[?&]t=([^.]+)\./.exec(location)?.[1] ?? "";
      await bucket.send(
        new PutObjectCommand({
          Bucket: s3.bucket,
          Key: directKey(stage, sha256),
          Body,
          ...(checked ? { ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") } : {}),
        }),
      );
    };

    test("takes a stream of unknown length, and gives it back whole", async () => {
      const bytes = randomBytes(20 * 1024 * 1024);
      const stream: RequestInit & { readonly duplex: "half" } = {
        method: "PATCH",
        body: new Blob([bytes]).stream(),
        duplex: "half",
      };
      const patched = await ask(await begin(), stream);
      expect(patched.status).toBe(202);
      const next = patched.headers.get("location") ?? "";
      const put = await ask(`${next}&digest=sha256:${digestOf(bytes)}`, { method: "PUT" });
      expect(put.status).toBe(201);
      expect((await putManifest("streamed", manifestOf(bytes))).status).toBe(201);
      const pulled = await ask(`${IMAGE}/blobs/sha256:${digestOf(bytes)}`);
      expect(digestOf(new Uint8Array(await pulled.arrayBuffer()))).toBe(digestOf(bytes));
    });

    test("takes over what the edge put into the bucket, checked by S3 or by a copy of its own", async () => {
      for (const checked of [true, false]) {
        const bytes = randomBytes(1000);
        await putDirectly(await begin(), digestOf(bytes), bytes, checked);
        const pushed = await putManifest(`direct-${checked}`, manifestOf(bytes));
        expect(pushed.status).toBe(201);
        const pulled = await ask(`${IMAGE}/blobs/sha256:${digestOf(bytes)}`);
        expect(digestOf(new Uint8Array(await pulled.arrayBuffer()))).toBe(digestOf(bytes));
      }
    });

    test("takes over nothing that is not what its name says, or that was sent for another repository", async () => {
      const wanted = randomBytes(1000);
      await putDirectly(await begin(), digestOf(wanted), randomBytes(1000), false);
      const wrong = await putManifest("wrong", manifestOf(wanted));
      expect(wrong.status).toBe(400);
      expect((await ask(`${IMAGE}/manifests/wrong`)).status).toBe(404);

      const elsewhere = randomBytes(1000);
      await putDirectly("?t=other-repository.1.x", digestOf(elsewhere), elsewhere);
      const unknown = await putManifest("elsewhere", manifestOf(elsewhere));
      expect(unknown.status).toBe(404);
      expect(await unknown.text()).toContain("BLOB_UNKNOWN");
    });

    test("leaves events to the deployment's stream", async () => {
      const pages = await Promise.all(
        Array.from({ length: OUTBOX_SHARDS }, (_, shard) => table.query(outboxQuery(shard, 100))),
      );
      expect(pages.flatMap(({ items }) => items).length).toBeGreaterThan(0);
    });

    test("says by name what is missing before it starts", async () => {
      const environment = { ENTREPOT_TABLE: "", ENTREPOT_BUCKET: "", ENTREPOT_MAC_KEY: "" };
      const start = startServer({ args: ["--stores", "aws"], environment });
      await expect(start).rejects.toThrow(/ENTREPOT_TABLE.*ENTREPOT_BUCKET/);
    });
  },
);
