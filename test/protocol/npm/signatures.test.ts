import { createHash, createPublicKey, verify } from "node:crypto";
import { expect, test } from "vitest";
import { buildTarball } from "../../support/npm-package.ts";
import {
  ABBREVIATED,
  BASE_URL,
  type NpmRegistry,
  type Json,
  openNpmRegistry,
} from "./npm-registry.ts";

const PAD = { name: "@acme/pad", version: "1.0.0" } as const;
const PREDICATE = "https://slsa.dev/provenance/v1";

test("the signature of a version verifies with the registry's key, as npm does it", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish(PAD);
  const { keys } = (await npm.send("/-/npm/v1/keys")).json;
  for (const headers of [{}, ABBREVIATED]) {
    const { dist } = (await npm.packument(PAD.name, headers)).versions["1.0.0"];
    const [{ keyid, sig }] = dist.signatures;
    const key = keys.find((one: Json) => one.keyid === keyid);
    expect(key).toMatchObject({
      expires: null,
      keytype: "ecdsa-sha2-nistp256",
      scheme: "ecdsa-sha2-nistp256",
    });
    const pem = `-----BEGIN PUBLIC KEY-----\n${key.key}\n-----END PUBLIC KEY-----`;
    const check = (text: string) =>
      verify("sha256", Buffer.from(text), createPublicKey(pem), Buffer.from(sig, "base64"));
    expect(check(`@acme/pad@1.0.0:${dist.integrity}`)).toBe(true);
    expect(check(`@acme/pad@1.0.1:${dist.integrity}`)).toBe(false);
  }
});

/** A bundle of the shape that `npm publish --provenance` attaches, with a statement of these subjects. */
function bundleFor(
  tarball: Buffer,
  edit: (statement: Json) => unknown = (statement) => statement,
): Json {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      {
        name: "pkg:npm/%40acme/pad@1.0.0",
        digest: { sha512: createHash("sha512").update(tarball).digest("hex") },
      },
    ],
    predicateType: PREDICATE,
    predicate: {},
  };
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { certificate: { rawBytes: "AAAA" }, tlogEntries: [] },
    dsseEnvelope: {
      payload: Buffer.from(JSON.stringify(edit(statement))).toString("base64"),
      payloadType: "application/vnd.in-toto+json",
      signatures: [{ sig: "AAAA", keyid: "" }],
    },
  };
}

async function publishWith(
  npm: NpmRegistry,
  makeBundle: (tarball: Buffer) => unknown,
  contentType?: string,
) {
  const tarball = await buildTarball(PAD);
  return npm.publishTarball(PAD, tarball, (body) => {
    const made = makeBundle(tarball);
    const data = typeof made === "string" ? made : JSON.stringify(made);
    body["_attachments"]["@acme/pad-1.0.0.sigstore"] = {
      content_type: contentType ?? "application/vnd.dev.sigstore.bundle.v0.3+json",
      data,
      length: data.length,
    };
    return body;
  });
}

test("provenance that came with a publish is kept and served as npm reads it", async () => {
  await using npm = await openNpmRegistry();
  let sent: unknown;
  const answer = await publishWith(npm, (tarball) => (sent = bundleFor(tarball)));
  expect(answer.status, answer.text).toBe(201);
  for (const headers of [{}, ABBREVIATED]) {
    const { dist } = (await npm.packument(PAD.name, headers)).versions["1.0.0"];
    expect(dist.attestations).toEqual({
      url: `${BASE_URL}/npm/js/-/npm/v1/attestations/@acme%2fpad@1.0.0`,
      provenance: { predicateType: PREDICATE },
    });
    const path = dist.attestations.url.slice(`${BASE_URL}/npm/js`.length);
    expect((await npm.send(path)).json).toEqual({
      attestations: [{ predicateType: PREDICATE, bundle: sent }],
    });
  }
  expect((await npm.send("/-/npm/v1/attestations/@acme/pad@1.0.0")).status).toBe(200);
});

test("a version without provenance has no attestations", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish(PAD);
  expect((await npm.packument(PAD.name)).versions["1.0.0"].dist).not.toHaveProperty("attestations");
  expect((await npm.send("/-/npm/v1/attestations/@acme%2fpad@1.0.0")).status).toBe(404);
  expect((await npm.send("/-/npm/v1/attestations/@acme%2fpad")).status).toBe(400);
});

test.each<[string, (tarball: Buffer) => unknown, string?]>([
  [
    "of another package",
    (t) =>
      bundleFor(t, (s) => ({ ...s, subject: [{ ...s.subject[0], name: "pkg:npm/other@1.0.0" }] })),
  ],
  [
    "of another version",
    (t) =>
      bundleFor(t, (s) => ({
        ...s,
        subject: [{ ...s.subject[0], name: "pkg:npm/%40acme/pad@1.0.1" }],
      })),
  ],
  ["of another tarball", () => bundleFor(Buffer.from("other"))],
  [
    "of two subjects",
    (t) => bundleFor(t, (s) => ({ ...s, subject: [s.subject[0], s.subject[0]] })),
  ],
  ["without a subject", (t) => bundleFor(t, (s) => ({ ...s, subject: [] }))],
  [
    "without a digest",
    (t) => bundleFor(t, (s) => ({ ...s, subject: [{ name: s.subject[0].name, digest: {} }] })),
  ],
  ["that is no JSON", () => "{"],
  ["that is no bundle", () => ({})],
  ["that is no statement", (t) => bundleFor(t, () => [])],
  ["of another media type", (t) => ({ ...bundleFor(t), mediaType: "text/plain" })],
  ["of another content type", (t) => bundleFor(t), "text/plain"],
  [
    "without signatures",
    (t) => ({ ...bundleFor(t), dsseEnvelope: { ...bundleFor(t).dsseEnvelope, signatures: [] } }),
  ],
  ["that is nested too deep", () => `{"a":${"[".repeat(60)}${"]".repeat(60)}}`],
  ["of more than a megabyte", (t) => ({ ...bundleFor(t), x: "y".repeat(1024 * 1024) })],
])("provenance %s is refused and leaves nothing behind", async (_, makeBundle, contentType) => {
  await using npm = await openNpmRegistry();
  const answer = await publishWith(npm, makeBundle, contentType);
  expect(answer.status, answer.text).toBe(400);
  expect(await npm.blobs()).toEqual([]);
});
