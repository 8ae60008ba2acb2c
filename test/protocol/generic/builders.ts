import type { TestRegistry } from "../../support/services.ts";

/** Where most tests put a file. */
export const FILE = "/generic/files/tool/1.0.0/dist/tool.tar.gz";

/** A private generic registry, `files`. */
export async function genericRegistry(registry: TestRegistry): Promise<void> {
  await registry.createRegistry({ slug: "files", ecosystem: "generic" });
}

export async function put(
  registry: TestRegistry,
  path: string,
  body: string | ReadableStream<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  // A stream, because `Request` gives text a content type that no client of ours would send.
  const stream = typeof body === "string" ? new Blob([body]).stream() : body;
  const init = { method: "PUT", body: stream, headers };
  return registry.request(path, signal === undefined ? init : { ...init, signal });
}
