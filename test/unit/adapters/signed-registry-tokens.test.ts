import { createServer, type IncomingMessage } from "node:http";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type AwsCredentials, signRequest } from "../../../shared/adapters/aws/sign-request.ts";
import { SignedRegistryTokens } from "../../../shared/adapters/aws/signed-registry-tokens.ts";
import type { AwsAuth } from "../../../shared/ports/aws-registry-tokens.ts";

// The requests are held against AWS' API reference and their signatures against the signer, whose vectors are AWS'
// own. Nothing here ever ran against AWS.

const NOW_MS = Date.parse("2026-11-21T12:00:00Z");
const OWN: AwsCredentials = { accessKeyId: "AKIAOWNOWNOWNOWN", secretAccessKey: "own" };
const ROLE: AwsCredentials = {
  accessKeyId: "ASIAROLEROLEROLE",
  secretAccessKey: "role/secret+x=",
  sessionToken: "session/token+y=",
};
const AUTH: AwsAuth = {
  kind: "aws",
  service: "codeartifact",
  region: "eu-west-1",
  roleArn: "",
  domain: "acme",
  domainOwner: "",
};
const ECR: AwsAuth = { ...AUTH, service: "ecr", domain: "" };

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let seen: Seen[];
let answers: (request: Seen) => { readonly status?: number; readonly body: string };
let endpoint: string;

beforeEach(async () => {
  seen = [];
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
      const { method = "", url: path = "", headers } = incoming;
      const request = { method, path, headers, body: Buffer.concat(chunks).toString("utf8") };
      seen.push(request);
      const { status = 200, body } = answers(request);
      outgoing.writeHead(status).end(body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  onTestFinished(() => void server.close());
});

const make = (auth: AwsAuth) =>
  new SignedRegistryTokens({ credentials: async () => OWN, now: () => NOW_MS, endpoint }).make(
    auth,
  );

/** Signs what came once more: the same signature comes of the same request, region, service and key only. */
function expectSigned(request: Seen | undefined, service: string, credentials: AwsCredentials) {
  if (request === undefined) throw new Error("nothing was sent");
  const names = /SignedHeaders=([a-z0-9;-]+)/.exec(String(request.headers.authorization))?.[1];
  const given = (names?.split(";") ?? []).filter(
    (name) => !["host", "x-amz-date", "x-amz-security-token"].includes(name),
  );
  const again = signRequest(
    {
      method: "POST",
      url: new URL(request.path, endpoint),
      headers: Object.fromEntries(given.map((name) => [name, String(request.headers[name])])),
      body: request.body,
      region: AUTH.region,
      service,
      nowMs: NOW_MS,
    },
    credentials,
  );
  expect(request.method).toBe("POST");
  expect(request.headers.authorization).toBe(again["authorization"]);
}

const codeArtifact = { body: JSON.stringify({ authorizationToken: "tok", expiration: 1.5e9 }) };

describe("a token of CodeArtifact", () => {
  test("is asked for by domain, and is the password of aws", async () => {
    answers = () => codeArtifact;
    expect(await make({ ...AUTH, domainOwner: "111122223333" })).toEqual({
      username: "aws",
      password: "tok",
      expiresAtMs: 1.5e12,
    });
    expect(seen.map(({ path }) => path)).toEqual([
      "/v1/authorization-token?domain=acme&domain-owner=111122223333",
    ]);
    expectSigned(seen[0], "codeartifact", OWN);
  });

  test("is made by the role where one is named", async () => {
    const xml = `<AssumeRoleResponse><AssumeRoleResult><Credentials>
      <AccessKeyId>${ROLE.accessKeyId}</AccessKeyId>
      <SecretAccessKey>${ROLE.secretAccessKey}</SecretAccessKey>
      <SessionToken>${ROLE.sessionToken}</SessionToken>
    </Credentials></AssumeRoleResult></AssumeRoleResponse>`;
    answers = ({ path }) => (path === "/" ? { body: xml } : codeArtifact);
    const roleArn = "arn:aws:iam::111122223333:role/reader";
    await make({ ...AUTH, roleArn });
    expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toEqual({
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: "entrepot",
      DurationSeconds: "900",
    });
    expectSigned(seen[0], "sts", OWN);
    expectSigned(seen[1], "codeartifact", ROLE);
    expect(seen[1]?.headers["x-amz-security-token"]).toBe(ROLE.sessionToken);
  });
});

test("a token of ECR is taken apart into user and password", async () => {
  const authorizationToken = Buffer.from("AWS:pass:word").toString("base64");
  answers = () => ({
    body: JSON.stringify({
      authorizationData: [{ authorizationToken, expiresAt: 1.5e9, proxyEndpoint: "https://x" }],
    }),
  });
  expect(await make(ECR)).toEqual({
    username: "AWS",
    password: "pass:word",
    expiresAtMs: 1.5e12,
  });
  expect(seen[0]).toMatchObject({
    path: "/",
    body: "{}",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
    },
  });
  expectSigned(seen[0], "ecr", OWN);
});

test.each([
  [400, '{"__type":"com.amazon.coral#AccessDeniedException","message":"user x"}', "AccessDenied"],
  [403, "<Error><Code>AccessDenied</Code></Error>", "ecr answers AccessDenied"],
  [500, "oops", "with status 500"],
  [200, "{}", "something else than a token"],
  [200, "<html>", "something else than a token"],
  [302, "", "does not answer|status 302"],
])("an answer of %d %s becomes words", async (status, body, words) => {
  answers = () => ({ status, body });
  await expect(make(ECR)).rejects.toMatchObject({
    name: "AwsRegistryTokensError",
    message: expect.stringMatching(words),
  });
});
