import crypto from "node:crypto";
import { runInNewContext } from "node:vm";
import { beforeEach, describe, expect, test } from "vitest";
import { ticketMessage } from "../../functions/oci/edge/decision.ts";
import { INLINE_LIMIT_BYTES } from "../../functions/lambda/limits.ts";
import {
  bundleEdgeFunction,
  type EdgeFunctionOptions,
  MAX_FUNCTION_BYTES,
} from "../../infra/edge/bundle.ts";
import { ticketSlot } from "../../infra/edge/names.ts";
import type { ViewerRequest, ViewerResponse } from "../../infra/edge/viewer-event.ts";

const HEX = crypto.createHash("sha256").update("layer").digest("hex");
const PATH = "/v2/images/team/app/blobs/uploads/0b1c";
const OPTIONS: EdgeFunctionOptions = { hasIngest: false, hasChecksumHeader: true };
const keys = new Map<string, string>();
const origins: string[] = [];
/** What CloudFront's runtime gives a function. */
const cf = {
  kvs: () => ({
    get: async (key: string): Promise<string> => {
      const value = keys.get(key);
      if (value === undefined) throw new Error("no such key");
      return value;
    },
  }),
  selectRequestOriginById: (id: string) => void origins.push(id),
};

type Viewer<Answer> = (event: object) => Answer;

/** The bundle as CloudFront runs it: a script with a function `handler`, whose imports are given. */
function load(name: "viewer-request" | "viewer-response", options = OPTIONS) {
  const code = bundleEdgeFunction(name, options).replace(/import \w+ from"\w+";/g, "");
  return runInNewContext(`${code};handler`, { cf, crypto, Buffer, console: { log: () => {} } });
}

const viewerRequest = (
  options?: EdgeFunctionOptions,
): Viewer<Promise<ViewerRequest | ViewerResponse>> => load("viewer-request", options);
const viewerResponse = (): Viewer<ViewerResponse> => load("viewer-response");

function newKey(generation: number): string {
  const key = crypto.randomBytes(32).toString("base64url");
  keys.set(ticketSlot(generation), key);
  return key;
}

function ticket(key: string, stage = "stage"): string {
  const expires = String(Math.floor(Date.now() / 1000) + 60);
  const mac = crypto.createHmac("sha256", Buffer.from(key, "base64url"));
  return `${stage}.${expires}.${mac.update(ticketMessage(PATH, stage, expires)).digest("base64url")}`;
}

const upload = (query: Record<string, string>, more: Partial<ViewerRequest> = {}) => ({
  request: {
    method: "PUT",
    uri: PATH,
    querystring: Object.fromEntries(
      Object.entries(query).map(([name, value]) => [name, { value }]),
    ),
    headers: {
      host: { value: "packages.example.com" },
      "content-length": { value: "5" },
      authorization: { value: "Bearer secret" },
      "x-amz-copy-source": { value: "bucket/other" },
    },
    cookies: { session: { value: "1" } },
    ...more,
  },
});

beforeEach(() => {
  keys.clear();
  origins.length = 0;
});

describe("The CloudFront functions", () => {
  test("fit CloudFront and use nothing that its runtime does not have", () => {
    for (const name of ["viewer-request", "viewer-response"] as const) {
      const code = bundleEdgeFunction(name, { ...OPTIONS, hasIngest: true });
      expect(Buffer.byteLength(code)).toBeLessThanOrEqual(MAX_FUNCTION_BYTES);
      expect(code).not.toMatch(
        /\?\.|\?\?|\bclass\b|\.\.\.|\bof\b\s*[\w(]+\)|\bexport\b|\brequire\b/,
      );
      expect(code).toMatch(/function handler\(/);
    }
  });

  test("send an upload with a genuine ticket to the bucket, with nothing else of the client's", async () => {
    const t = ticket(newKey(1));
    const answer = await viewerRequest()(upload({ t, digest: `sha256%3A${HEX}` }));
    expect(origins).toEqual(["uploads"]);
    expect(answer).toEqual({
      method: "PUT",
      uri: `/staging/direct/stage/${HEX}`,
      querystring: {},
      cookies: {},
      headers: {
        host: { value: "packages.example.com" },
        "content-length": { value: "5" },
        "x-amz-checksum-sha256": { value: Buffer.from(HEX, "hex").toString("base64") },
        "x-entrepot-location": { value: `/v2/images/team/app/blobs/sha256:${HEX}` },
      },
    });
  });

  test("take tickets of two generations of the key, and of no third", async () => {
    const [first, second] = [newKey(1), newKey(2)];
    const query = (key: string) => upload({ t: ticket(key), digest: `sha256:${HEX}` });
    for (const key of [first, second]) await viewerRequest()(query(key));
    expect(origins).toEqual(["uploads", "uploads"]);
    newKey(3);
    await viewerRequest()(query(first));
    expect(origins).toHaveLength(2);
    await viewerRequest()(query(second));
    expect(origins).toHaveLength(3);
  });

  test("let nobody through while the store has no key, not even with an empty one", async () => {
    const t = ticket("");
    await viewerRequest()(upload({ t, digest: `sha256:${HEX}` }));
    expect(origins).toEqual([]);
  });

  test("pass everything else on with the name that the client used, and no location of its own", async () => {
    newKey(1);
    const headers = {
      host: { value: "packages.example.com" },
      "x-entrepot-location": { value: "/elsewhere" },
    };
    const event = upload({}, { uri: "/npm/left/pad", method: "GET", headers });
    const answer = await viewerRequest()(event);
    expect(answer.headers).toEqual({
      host: { value: "packages.example.com" },
      "x-forwarded-host": { value: "packages.example.com" },
    });
    expect(origins).toEqual([]);
  });

  test("refuse what no function takes with OCI's error, unless ingest takes it", async () => {
    newKey(1);
    const headers = { "content-length": { value: String(INLINE_LIMIT_BYTES + 1) } };
    const event = () => upload({}, { method: "PATCH", headers: { ...headers } });
    const refused = await viewerRequest()(event());
    const data = expect.stringMatching(/^\{"errors":\[\{"code":"UNSUPPORTED"/);
    expect(refused).toMatchObject({ statusCode: 413, body: { encoding: "text", data } });
    await viewerRequest({ ...OPTIONS, hasIngest: true })(event());
    expect(origins).toEqual(["ingest"]);
  });

  test.each([
    ["PUT", "/maven/libs/org/example/demo/1.0/demo-1.0.jar"],
    ["PUT", "/generic/files/demo/1.0/demo.bin"],
    ["POST", "/pypi/py/legacy/"],
  ])(
    "refuse a %s of %s that no function takes with words, unless ingest takes it",
    async (method, uri) => {
      const sized = (bytes: number) =>
        upload({}, { method, uri, headers: { "content-length": { value: String(bytes) } } });
      const refused = await viewerRequest()(sized(INLINE_LIMIT_BYTES + 1));
      const data = expect.stringContaining("entrepot push");
      expect(refused).toMatchObject({ statusCode: 413, body: { encoding: "text", data } });
      expect(await viewerRequest()(sized(INLINE_LIMIT_BYTES))).toMatchObject({ uri });
      const handle = viewerRequest({ ...OPTIONS, hasIngest: true });
      await handle(sized(INLINE_LIMIT_BYTES));
      await handle(upload({}, { method: "GET", uri, headers: {} }));
      expect(origins).toEqual([]);
      await handle(sized(INLINE_LIMIT_BYTES + 1));
      expect(origins).toEqual(["ingest"]);
    },
  );

  test("send files of unknown length to ingest, where there is one", async () => {
    const uri = "/generic/files/demo/1.0/demo.bin";
    const event = () => upload({}, { method: "PUT", uri, headers: {} });
    await viewerRequest()(event());
    expect(origins).toEqual([]);
    await viewerRequest({ ...OPTIONS, hasIngest: true })(event());
    expect(origins).toEqual(["ingest"]);
  });

  test("send streams and the end of an upload in pieces to ingest, and short requests to the API", async () => {
    const key = newKey(1);
    const handle = viewerRequest({ ...OPTIONS, hasIngest: true });
    const short = { "content-length": { value: "5" } };
    await handle(upload({}, { method: "PATCH", headers: {} }));
    await handle(
      upload({ t: ticket(key, "-") }, { headers: { "content-length": { value: "0" } } }),
    );
    expect(origins).toEqual(["ingest", "ingest"]);
    await handle(upload({}, { method: "PATCH", headers: short }));
    await handle(upload({}, { method: "POST", uri: "/v2/i/a/blobs/uploads/", headers: {} }));
    await handle(upload({}, { method: "GET", headers: {} }));
    expect(origins).toHaveLength(2);
  });

  test("make the bucket's 200 the 201 of a registry, from either form of the request", async () => {
    const handle = viewerResponse();
    const key = newKey(1);
    const query = { t: ticket(key), digest: `sha256%3A${HEX}` };
    const rewritten = await viewerRequest()(upload(query));
    for (const request of [rewritten, upload(query).request]) {
      const headers = { etag: { value: '"e"' }, "x-amz-id-2": { value: "1" } };
      const response = { statusCode: 200, statusDescription: "OK", headers };
      expect(handle({ request, response })).toEqual({
        statusCode: 201,
        statusDescription: "Created",
        headers: {
          location: { value: `/v2/images/team/app/blobs/sha256:${HEX}` },
          "docker-content-digest": { value: `sha256:${HEX}` },
        },
      });
    }
  });

  test("leave every other answer as it is", () => {
    const handle = viewerResponse();
    const answer = (statusCode: number) => ({ statusCode, statusDescription: "", headers: {} });
    const { request } = upload({ digest: `sha256:${HEX}` });
    expect(handle({ request, response: answer(201) })).toEqual(answer(201));
    expect(handle({ request: { ...request, method: "GET" }, response: answer(200) })).toEqual(
      answer(200),
    );
    expect(handle({ request: { ...request, uri: "/npm/a" }, response: answer(200) })).toEqual(
      answer(200),
    );
  });
});
