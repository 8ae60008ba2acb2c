import type { EcosystemName } from "../../shared/domain/registry.ts";
import {
  answer,
  type Behaviour,
  half,
  hangUp,
  type MisbehavingUpstream,
  redirect,
  slowHead,
  startUpstream,
  wrongBytes,
} from "./misbehaving-upstream.ts";
import { openTestRegistry, type TestRegistry } from "./services.ts";
import { createProxy } from "./upstreams.ts";

/** An upstream, and a registry with the proxy `mirror` of it; the test closes both. */
export interface Mirror {
  readonly upstream: MisbehavingUpstream;
  readonly registry: TestRegistry;
}

/** Documents are fresh for 60 seconds, missing for 30; answers must begin within half a second. */
export async function openMirror(ecosystem: EcosystemName, upstreamPath = ""): Promise<Mirror> {
  const upstream = await startUpstream();
  const registry = await openTestRegistry();
  await createProxy(registry, {
    slug: "mirror",
    ecosystem,
    url: upstream.url + upstreamPath,
    upstream: { documentTtlSeconds: 60, missingTtlSeconds: 30, timeoutMs: 500 },
  });
  return { upstream, registry };
}

/** How an upstream of any ecosystem may fail to answer, with words for it. */
export const FAILING_ANSWERS: readonly [string, Behaviour][] = [
  ["500", answer("", { status: 500 })],
  ["429", answer("", { status: 429, headers: { "retry-after": "7" } })],
  ["401, as when a token has run out", answer("", { status: 401 })],
  ["a head that does not come", slowHead(5_000, answer("{}"))],
  ["no answer at all", hangUp],
  ["half of an answer", half("x".repeat(5000), "truncate")],
];

/** What an upstream of any ecosystem may send in place of a file, with words for it. */
export const WRONG_FILES: readonly [string, (bytes: Buffer) => Behaviour][] = [
  ["wrong bytes", (bytes) => wrongBytes(bytes)],
  ["half of them", (bytes) => half(bytes, "truncate")],
  ["a reset", (bytes) => half(bytes, "reset")],
  ["500", () => answer("", { status: 500 })],
  ["a page", () => answer("<html></html>")],
  ["a redirect to the metadata service", () => redirect("http://169.254.169.254/")],
];
