import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AwsCredentials } from "../../../shared/adapters/aws/sign-request.ts";
import { proveIdentity } from "../../../shared/adapters/sts/identity-request.ts";
import { StsIdentities } from "../../../shared/adapters/sts/sts-identities.ts";
import type { RoleGrant } from "../../../shared/domain/role-grant.ts";
import { type KnownCaller, startSts, type StsService } from "../../support/aws/sts-service.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";

const REGION = "eu-central-1";
const ACCOUNT = "111122223333";
/** Of the test registry's origin. */
const DEPLOYMENT = "registry.test";

const callerOf = (arn: string, key: string): KnownCaller => ({
  arn,
  credentials: { accessKeyId: key, secretAccessKey: `secret of ${key}`, sessionToken: "token" },
});
const CI = callerOf(`arn:aws:sts::${ACCOUNT}:assumed-role/ci/run-1`, "ASIAAAAAAAAAAAAAAAAA");
const READER = callerOf(`arn:aws:sts::${ACCOUNT}:assumed-role/reader/job`, "ASIABBBBBBBBBBBBBBBB");
const OTHER = callerOf("arn:aws:sts::444455556666:assumed-role/ci/run-1", "ASIACCCCCCCCCCCCCCCC");
const USER = callerOf(`arn:aws:iam::${ACCOUNT}:user/ci`, "AKIADDDDDDDDDDDDDDDD");

const GRANTS: readonly RoleGrant[] = [
  { account: ACCOUNT, role: "ci", allow: "publish", registries: ["files"] },
  { account: ACCOUNT, role: "ci", allow: "pull", registries: ["third-party"] },
  { account: ACCOUNT, role: "reader", allow: "pull", registries: ["files"] },
];

let sts: StsService;
let registry: TestRegistry;
beforeEach(async () => {
  sts = await startSts(REGION, [CI, READER, OTHER, USER]);
  const identities = new StsIdentities({ region: REGION, endpoint: sts.url, now: Date.now });
  registry = await openTestRegistry({ roleAccess: { identities, grants: GRANTS } });
  await registry.createRegistry({ slug: "files", ecosystem: "generic" });
  await registry.createRegistry({ slug: "third-party", ecosystem: "generic" });
});
afterEach(async () => {
  await registry.close();
  await sts.close();
});

const prove = (
  credentials: AwsCredentials,
  changes: Partial<Record<"region" | "deployment", string>> = {},
  nowMs = Date.now(),
) => proveIdentity(credentials, { region: REGION, deployment: DEPLOYMENT, nowMs, ...changes });

const exchange = async (body: object): Promise<Response> =>
  registry.request("/api/v1/identity/aws", {
    method: "POST",
    token: null,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const tokenFor = async (caller: KnownCaller, more: object = {}): Promise<string> => {
  const response = await exchange({ ...prove(caller.credentials), ...more });
  const { token } = Object(await response.json());
  return String(token);
};

const put = async (token: string, slug: string): Promise<number> =>
  (await registry.request(`/generic/${slug}/tool/1/file`, { method: "PUT", body: "x", token }))
    .status;

describe("an IAM role with a grant", () => {
  test("gets a token for an hour, in its own name", async () => {
    const response = await exchange(prove(CI.credentials));
    expect(response.status).toBe(201);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body = Object(await response.json());
    expect(body).toMatchObject({
      kind: "session",
      owner: `aws:${ACCOUNT}:ci`,
      description: "IAM role ci, session run-1",
      scopes: ["packages:read", "packages:write"],
      registries: ["files"],
    });
    expect(Date.parse(body.expiresAt) - Date.now()).toBeLessThanOrEqual(3_600_000);
    registry.clock.aheadMs = 3_601_000;
    expect((await registry.request("/api/v1/whoami", { token: body.token })).status).toBe(401);
  });

  test("publishes where it may publish and nowhere else", async () => {
    const token = await tokenFor(CI);
    expect(await put(token, "files")).toBe(201);
    expect(await put(token, "third-party")).toBe(404);
  });

  test("pulls from everything that it may use, and does not publish, with a token to pull", async () => {
    const token = await tokenFor(CI, { allow: "pull" });
    expect(await put(token, "files")).toBe(403);
    expect(await put(token, "third-party")).toBe(403);
    const list = await registry.request("/generic/third-party/", { token });
    expect(list.status).toBe(200);
  });

  test("gets no token to publish where it may only pull", async () => {
    const refused = await exchange({ ...prove(READER.credentials), allow: "publish" });
    expect(refused.status).toBe(403);
    expect(await put(await tokenFor(READER), "files")).toBe(403);
  });

  test("stands in the audit log", async () => {
    await tokenFor(CI);
    const log = await registry.request(
      `/api/v1/audit?actor=${encodeURIComponent(`aws:${ACCOUNT}:ci`)}`,
    );
    expect(await log.json()).toMatchObject({
      items: [{ action: "token.create", actor: `aws:${ACCOUNT}:ci` }],
    });
  });

  test("is told which region to sign for", async () => {
    const how = await registry.request("/api/v1/identity/aws", { token: null });
    expect(await how.json()).toEqual({ region: REGION });
  });
});

describe("a proof of identity", () => {
  test("is good once", async () => {
    const proof = prove(CI.credentials);
    expect((await exchange(proof)).status).toBe(201);
    expect((await exchange(proof)).status).toBe(401);
  });

  test("of another deployment is not believed", async () => {
    const proof = prove(CI.credentials, { deployment: "evil.example.com" });
    expect((await exchange(proof)).status).toBe(401);
  });

  test("that is five minutes old is refused, whatever STS would say", async () => {
    const old = prove(CI.credentials, {}, Date.now() - 301_000);
    expect((await exchange(old)).status).toBe(401);
    expect(sts.requests).toEqual([]);
  });

  test("for another region or service, or that signs less, never reaches STS", async () => {
    const proof = prove(CI.credentials);
    for (const authorization of [
      prove(CI.credentials, { region: "us-east-1" }).authorization,
      proof.authorization.replace("/sts/", "/iam/"),
      proof.authorization.replace(";x-entrepot-deployment", ""),
      proof.authorization.replace("content-type;", "accept;content-type;"),
      `${proof.authorization}, Extra=1`,
      "Bearer x",
    ]) {
      expect((await exchange({ ...proof, authorization })).status, authorization).toBe(401);
    }
    expect(sts.requests).toEqual([]);
  });

  test("with a forged signature is refused by STS", async () => {
    const proof = prove({ ...CI.credentials, secretAccessKey: "guessed" });
    expect((await exchange(proof)).status).toBe(401);
    expect(sts.requests).toEqual(["POST / Action=GetCallerIdentity&Version=2011-06-15"]);
  });

  test("of a user, not a role, is not enough", async () => {
    const { accessKeyId, secretAccessKey } = USER.credentials;
    expect((await exchange(prove({ accessKeyId, secretAccessKey }))).status).toBe(401);
  });

  test("of a role of the same name in another account is forbidden", async () => {
    const refused = await exchange(prove(OTHER.credentials));
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({
      detail: expect.stringContaining('Role "ci" of account 444455556666 may not pull here.'),
    });
  });

  test("cannot choose what is asked, or whom", async () => {
    const proof = prove(CI.credentials);
    for (const more of [{ url: "http://169.254.169.254/" }, { body: "Action=AssumeRole" }]) {
      expect((await exchange({ ...proof, ...more })).status).toBe(400);
    }
    const split = { ...proof, securityToken: "a\r\nhost: evil" };
    expect((await exchange(split)).status).toBe(400);
    expect(sts.requests).toEqual([]);
  });

  test("makes the address wait after twenty wrong ones", async () => {
    const wrong = { ...prove(CI.credentials), authorization: "Bearer x" };
    const statuses: number[] = [];
    for (let times = 0; times < 21; times++) statuses.push((await exchange(wrong)).status);
    expect(statuses.at(0)).toBe(401);
    expect(statuses.at(-1)).toBe(429);
  });
});

test("when STS does not answer, the client is told to come back", async () => {
  sts.failWith = 503;
  const response = await exchange(prove(CI.credentials));
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("2");
});

test("behind a proxy, a registry that was not told its own name believes no proof", async () => {
  const identities = new StsIdentities({ region: REGION, endpoint: sts.url, now: Date.now });
  const behind = await openTestRegistry({
    roleAccess: { identities, grants: GRANTS },
    trustProxy: true,
  });
  try {
    const refused = await behind.request("/api/v1/identity/aws", {
      method: "POST",
      token: null,
      headers: { "content-type": "application/json", "x-forwarded-host": "evil.example.com" },
      body: JSON.stringify(prove(CI.credentials, { deployment: "evil.example.com" })),
    });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining("edge.domain") });
    expect(sts.requests).toEqual([]);
  } finally {
    await behind.close();
  }
});

test("behind a proxy, a registry that knows its name takes proofs for that name, whatever is forwarded", async () => {
  const identities = new StsIdentities({ region: REGION, endpoint: sts.url, now: Date.now });
  const behind = await openTestRegistry({
    roleAccess: { identities, grants: GRANTS },
    trustProxy: true,
    baseUrl: "https://packages.example.com",
  });
  const send = async (deployment: string): Promise<number> => {
    const response = await behind.request("/api/v1/identity/aws", {
      method: "POST",
      token: null,
      headers: { "content-type": "application/json", "x-forwarded-host": "evil.example.com" },
      body: JSON.stringify(prove(CI.credentials, { deployment })),
    });
    return response.status;
  };
  try {
    expect(await send("evil.example.com")).toBe(401);
    expect(await send("packages.example.com")).toBe(201);
  } finally {
    await behind.close();
  }
});

test("a registry outside of AWS says that it takes no roles", async () => {
  const elsewhere = await openTestRegistry();
  try {
    const how = await elsewhere.request("/api/v1/identity/aws", { token: null });
    expect(how.status).toBe(400);
    expect(await how.json()).toMatchObject({
      detail: expect.stringContaining("takes no IAM roles"),
    });
  } finally {
    await elsewhere.close();
  }
});
