import { createHash, randomBytes } from "node:crypto";
import type { Ask, CountedRegistry } from "../counted-registry.ts";
import { measureKinds, type OperationCosts, type RequestKind } from "../operation-costs.ts";
import { MANIFEST } from "./wire.ts";

const IMAGE = "/v2/images/team/app";
const OCTETS = { "content-type": "application/octet-stream" };
const CONFIG = "application/vnd.oci.image.config.v1+json";

const digestOf = (text: string): string =>
  `sha256:${createHash("sha256").update(text).digest("hex")}`;

/** The requests of OCI's clients. */
export async function measureOperations(turns: number): Promise<readonly OperationCosts[]> {
  return measureKinds(turns, async (registry) => {
    await registry.create("images", "oci");
    return kinds(registry);
  });
}

async function kinds(registry: CountedRegistry): Promise<readonly RequestKind[]> {
  const blob = "the bytes of a blob";
  await registry.ask(pushOf(blob));
  const config = { mediaType: CONFIG, digest: digestOf(blob), size: blob.length };
  const manifest = (label: string): string =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config,
      layers: [],
      annotations: { label },
    });
  const put = (reference: string, label: string): Ask => ({
    method: "PUT",
    path: `${IMAGE}/manifests/${reference}`,
    headers: { "content-type": MANIFEST },
    body: manifest(label),
  });
  await registry.ask(put("v1", "the first"));
  const digest = digestOf(manifest("the first"));
  return [
    { name: "manifest GET by tag", ask: () => ({ path: `${IMAGE}/manifests/v1` }) },
    { name: "manifest GET by digest", ask: () => ({ path: `${IMAGE}/manifests/${digest}` }) },
    {
      name: "blob HEAD",
      ask: () => ({ method: "HEAD", path: `${IMAGE}/blobs/${config.digest}` }),
    },
    { name: "blob GET, inline", ask: () => ({ path: `${IMAGE}/blobs/${config.digest}` }) },
    {
      name: "blob push in one POST, new bytes",
      ask: () => pushOf(randomBytes(16).toString("hex")),
    },
    { name: "blob push in one POST, known bytes", ask: () => pushOf(blob) },
    { name: "manifest PUT, new tag", ask: (turn) => put(`new-${turn}`, `new ${turn}`) },
    { name: "manifest PUT, moved tag", ask: (turn) => put("moved", `moved ${turn}`) },
    { name: "manifest PUT, the same again", ask: () => put("v1", "the first") },
    { name: "tags list", ask: () => ({ path: `${IMAGE}/tags/list` }) },
    { name: "referrers", ask: () => ({ path: `${IMAGE}/referrers/${digest}` }) },
  ];
}

function pushOf(body: string): Ask {
  const path = `${IMAGE}/blobs/uploads/?digest=${digestOf(body)}`;
  return { method: "POST", path, headers: OCTETS, body };
}
