import { randomBytes } from "node:crypto";
import { buildWheel, type Distribution, uploadForm } from "../../test/support/python-package.ts";
import { drive } from "../load/drive.ts";
import { type RawRequest, rawRequest } from "../load/raw-request.ts";
import type { PypiServer } from "./servers.ts";

/** Wheels of one release in a page of many files, as of a project that is built for many platforms. */
const WHEELS_A_RELEASE = 40;
const UPLOADERS = 4;

/** The project whose page has so many files. */
export const pageProject = (files: number): string => `page-of-${files}`;
/** The project with one wheel of so many bytes. */
export const sizedProject = (bytes: number): string => `wheel-of-${bytes}`;

/** A wheel of about so many bytes that nobody else has. */
export function makeWheel(name: string, version: string, bytes = 2_000, tags?: string) {
  // Base64 packs to three quarters: to what it was made of.
  const noise = randomBytes(bytes).toString("base64");
  const metadata = ["Summary: A benchmark", "Requires-Python: >=3.9", "Requires-Dist: six"];
  const project = { name, version, metadata, files: { "demo/__init__.py": noise } };
  return buildWheel(project, tags);
}

/** A whole upload as twine sends it. */
export async function uploadRequest(
  server: Pick<PypiServer, "port" | "uploadPath" | "headers">,
  name: string,
  version: string,
  wheel: Distribution,
): Promise<Uint8Array> {
  const { port, uploadPath, headers } = server;
  return rawRequest(port, await upload(uploadPath, headers, name, version, wheel));
}

/** As {@link uploadRequest}, not yet written down. */
export async function upload(
  path: string,
  headers: Readonly<Record<string, string>>,
  name: string,
  version: string,
  wheel: Distribution,
): Promise<RawRequest & { readonly body: Uint8Array<ArrayBuffer> }> {
  const form = new Response(uploadForm({ name, version }, wheel));
  const type = form.headers.get("content-type") ?? "";
  const body = new Uint8Array(await form.arrayBuffer());
  return { method: "POST", path, headers: { "Content-Type": type, ...headers }, body };
}

/** Publishes what the loads ask for: pages of these numbers of files, and wheels of these sizes. */
export async function seed(
  server: PypiServer,
  pages: readonly number[],
  sizes: readonly number[],
): Promise<void> {
  for (const files of pages) await seedPage(server, files);
  for (const bytes of sizes) {
    const name = sizedProject(bytes);
    const request = await uploadRequest(server, name, "1.0", makeWheel(name, "1.0", bytes));
    await send(server, [request]);
  }
}

async function seedPage(server: PypiServer, files: number): Promise<void> {
  const name = pageProject(files);
  const requests: Uint8Array[] = [];
  for (let at = 0; at < files; at++) {
    const version = `1.${Math.floor(at / WHEELS_A_RELEASE)}`;
    const tags = `cp3${at % WHEELS_A_RELEASE}-cp3${at % WHEELS_A_RELEASE}-manylinux_2_17_x86_64`;
    requests.push(await uploadRequest(server, name, version, makeWheel(name, version, 500, tags)));
  }
  await send(server, requests);
}

async function send(server: PypiServer, requests: Uint8Array[]): Promise<void> {
  const { port } = server;
  const next = (): Uint8Array | undefined => requests.pop();
  await drive({ port, connections: UPLOADERS, expectStatus: 200, next });
}
