import { expect, test } from "vitest";
import { buildWheel, sha256Of } from "../../support/python-package.ts";
import { BASE_URL, openPypiRegistry } from "./pypi-registry.ts";

const DEMO = { name: "demo", version: "1.0" } as const;
const PUBLISH = "https://docs.pypi.org/attestations/publish/v1";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** An attestation of a file in the form of PEP 740; its signature is anybody's. */
function attestation(fileName: string, sha256: string, predicateType = PUBLISH) {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: fileName, digest: { sha256 } }],
    predicateType,
    predicate: null,
  };
  return {
    version: 1,
    verification_material: {
      certificate: base64("certificate"),
      transparency_entries: [{ logIndex: "1" }],
    },
    envelope: { statement: base64(JSON.stringify(statement)), signature: base64("signature") },
  };
}

test("attestations are stored, announced on both pages, and served", async () => {
  await using pypi = await openPypiRegistry();
  const wheel = buildWheel(DEMO);
  const sent = [attestation(wheel.fileName, sha256Of(wheel.bytes))];
  const answer = await pypi.upload(DEMO, wheel, { attestations: JSON.stringify(sent) });
  expect(answer.status).toBe(200);
  const path = `/integrity/demo/1.0/${wheel.fileName}/provenance`;
  expect((await pypi.simple("demo")).files[0].provenance).toBe(`${BASE_URL}/pypi/py${path}`);
  expect((await pypi.get("/simple/demo/")).text).toContain(
    `data-provenance="${BASE_URL}/pypi/py${path}"`,
  );
  const provenance = await pypi.get(path);
  expect(provenance.headers.get("content-type")).toBe("application/vnd.pypi.integrity.v1+json");
  expect(provenance.json).toEqual({
    version: 1,
    attestation_bundles: [
      { publisher: { kind: "Entrepot token", claims: null }, attestations: sent },
    ],
  });
});

test("attestations of another file, of an unknown type, or twice of one are refused", async () => {
  await using pypi = await openPypiRegistry();
  const wheel = buildWheel(DEMO);
  const digest = sha256Of(wheel.bytes);
  const own = attestation(wheel.fileName, digest);
  for (const attestations of [
    [attestation("other.whl", digest)],
    [attestation(wheel.fileName, "0".repeat(64))],
    [attestation(wheel.fileName, digest, "https://example.com/")],
    [own, own],
    [{ ...own, version: 2 }],
    [{ ...own, envelope: { ...own.envelope, statement: base64("no statement") } }],
  ]) {
    const answer = await pypi.upload(DEMO, wheel, { attestations: JSON.stringify(attestations) });
    expect(answer.status, answer.text).toBe(400);
  }
  expect(await pypi.blobs()).toEqual([]);
});
