import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { bodyBytes } from "../../../shared/http/body-bytes.ts";
import type { ServiceOptions } from "../../../shared/services/services.ts";
import {
  buildTarball,
  type PackageOptions,
  packagePath,
  publishBody,
} from "../../support/npm-package.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";

export const SLUG = "js";
export const BASE_URL = "http://registry.test";

/** What `JSON.parse` gives: tests look into it freely, and fail where it is something else. */
export type Json = ReturnType<typeof JSON.parse>;

/** An answer whose body was read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed, where it is JSON. */
  readonly json: Json;
}

/** A registry that speaks npm, and what a client does with it. */
export interface NpmRegistry extends AsyncDisposable {
  readonly test: TestRegistry;
  /** `path` is below the registry's root, as in `/left-pad`. */
  send(path: string, init?: RequestOptions): Promise<Answer>;
  publish(
    options: PackageOptions & { readonly tag?: string },
    request?: RequestOptions,
  ): Promise<Answer>;
  /** Sends a publish of this tarball with the digests of these bytes, edited by `edit`. */
  publishTarball(
    options: PackageOptions & { readonly tag?: string },
    tarball: Buffer,
    edit?: (body: Json) => unknown,
  ): Promise<Answer>;
  packument(name: string, headers?: Record<string, string>): Promise<Json>;
  /** SHA-256 of everything that blob storage holds. */
  blobs(): Promise<readonly string[]>;
  /** Text of a token of these scopes. */
  token(scopes: readonly string[], more?: Record<string, unknown>): Promise<string>;
}

export interface RequestOptions extends Omit<RequestInit, "body"> {
  readonly token?: string | null;
  /** Text and bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
}

export const ABBREVIATED = {
  accept: "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*",
};

export async function openNpmRegistry(
  visibility: "private" | "public" = "private",
  options: Partial<ServiceOptions> = {},
): Promise<NpmRegistry> {
  const test = await openTestRegistry(options);
  await test.createRegistry({ slug: SLUG, ecosystem: "npm", visibility });
  const send: NpmRegistry["send"] = async (path, init = {}) => {
    const { body, headers, ...rest } = init;
    const response = await test.request(`/npm/${SLUG}${path}`, {
      ...rest,
      headers: { "content-type": "application/json", ...Object.fromEntries(new Headers(headers)) },
      ...(body === undefined ? {} : { body: toBody(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  };
  const put = (name: string, body: unknown, request: RequestOptions = {}) =>
    send(packagePath("", name).slice("/npm/".length), { method: "PUT", body, ...request });
  return {
    test,
    send,
    publish: async (published, request) =>
      put(published.name, publishBody(published, await buildTarball(published)), request),
    publishTarball: async (published, tarball, edit) => {
      const body = publishBody(published, tarball);
      return put(published.name, edit?.(body) ?? body);
    },
    packument: async (name, headers) => {
      const path = `/${name.replace("/", "%2f")}`;
      const { status, json } = await send(path, headers === undefined ? {} : { headers });
      if (status !== 200) throw new Error(`packument of ${name}: ${status}`);
      return json;
    },
    blobs: async () =>
      (await test.stores.blobs.list({ limit: 1000 })).blobs.map((blob) => blob.sha256),
    token: async (scopes, more = {}) => {
      const response = await test.request("/api/v1/tokens", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ description: "test", scopes, ...more }),
      });
      const created: Json = await response.json();
      if (response.status !== 201) throw new Error(JSON.stringify(created));
      return created.token;
    },
    [Symbol.asyncDispose]: () => test.close(),
  };
}

/** Entries of an archive, in order; `content` is the bytes of a file. */
export type ArchiveEntry = Partial<Header> &
  Pick<Header, "name"> & { readonly content?: string | Buffer };

/** A tar archive of exactly these entries. */
export async function buildTar(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { content, ...header } of entries) archive.entry(header, content ?? "");
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The same, gzipped, behind a package.json of this name and version. */
export async function buildArchive(
  { name, version }: PackageOptions,
  entries: readonly ArchiveEntry[],
): Promise<Buffer> {
  const packageJson = { name: "package/package.json", content: JSON.stringify({ name, version }) };
  return gzipSync(await buildTar([packageJson, ...entries]));
}

function toBody(body: unknown): string | Uint8Array<ArrayBuffer> | ReadableStream {
  if (typeof body === "string" || body instanceof ReadableStream) return body;
  return body instanceof Uint8Array ? bodyBytes(body) : JSON.stringify(body);
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
