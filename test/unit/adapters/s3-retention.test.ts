import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Retention } from "../../../shared/adapters/s3/retention.ts";
import { S3Blobs } from "../../../shared/adapters/s3/s3-blobs.ts";

/** Enough of S3 to be written to; remembers what was asked of it. */
let server: Server;
let endpoint: string;
let requests: { readonly what: string; readonly headers: IncomingHttpHeaders }[];

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    requests.push({ what: `${request.method} ${request.url}`, headers: request.headers });
    request.resume();
    request.on("end", () => {
      response.setHeader("etag", '"e"');
      response.setHeader("content-length", request.method === "HEAD" ? "5" : ANSWER.length);
      response.end(request.method === "HEAD" ? undefined : ANSWER);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ANSWER =
  "<Result><UploadId>u</UploadId><ETag>e</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Result>";

const blobsWith = (retention?: Retention): S3Blobs =>
  new S3Blobs({
    bucket: "b",
    client: {
      endpoint,
      region: "eu-central-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey: "secret" },
    },
    leftovers: "leave",
    ...(retention === undefined ? {} : { retention }),
  });

/** The requests that ask for a lock, without what differs from run to run. */
const locked = (): readonly string[] =>
  requests
    .filter(({ headers }) => headers["x-amz-object-lock-mode"] !== undefined)
    .map(({ what }) => what.replace(/[0-9a-f]{64}|[0-9a-f-]{36}/, "<name>"));

const streamOf = (bytes: Uint8Array) => new Blob([new Uint8Array(bytes)]).stream();

test("blobs are locked as they are written, for as long and as hard as said", async () => {
  await blobsWith({ mode: "governance", days: 30 }).put(Buffer.from("bytes"));
  expect(locked()).toEqual(["PUT /b/blobs/sha256/<name>?x-id=PutObject"]);
  const [put] = requests;
  expect(put?.headers["x-amz-object-lock-mode"]).toBe("GOVERNANCE");
  const until = Date.parse(String(put?.headers["x-amz-object-lock-retain-until-date"]));
  expect(Math.abs(until - Date.now() - 30 * 86_400_000)).toBeLessThan(60_000);
  await blobsWith({ mode: "compliance", days: 1 }).put(Buffer.from("bytes"));
  expect(requests[1]?.headers["x-amz-object-lock-mode"]).toBe("COMPLIANCE");
});

test("what is unfinished is not locked, and its copy to a blob's place is", async () => {
  const blobs = blobsWith({ mode: "governance", days: 30 });
  const piece = await blobs.stage(streamOf(Buffer.from("bytes")));
  await blobs.beginMultipart();
  expect(locked()).toEqual([]);
  await blobs.commitStaged([piece]);
  expect(locked()).toEqual(["PUT /b/blobs/sha256/<name>?x-id=CopyObject"]);
});

test("a blob of unknown length is locked where its upload begins, or where it is copied to", async () => {
  const blobs = blobsWith({ mode: "governance", days: 30 });
  await blobs.put(streamOf(randomBytes(9 * 1024 ** 2)));
  expect(locked()).toEqual(["PUT /b/blobs/sha256/<name>?x-id=CopyObject"]);
});

test("without the option nothing is locked", async () => {
  await blobsWith().put(Buffer.from("bytes"));
  expect(requests).toHaveLength(1);
  expect(locked()).toEqual([]);
});
