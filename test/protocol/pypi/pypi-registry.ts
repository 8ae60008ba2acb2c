import type { ServiceOptions } from "../../../shared/services/services.ts";
import {
  buildWheel,
  type Distribution,
  type ProjectOptions,
  uploadForm,
} from "../../support/python-package.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";

export const BASE_URL = "http://registry.test";
export const JSON_TYPE = "application/vnd.pypi.simple.v1+json";

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

/** A registry of Python packages, `py`, and what a client does with it. */
export interface PypiRegistry extends AsyncDisposable {
  readonly test: TestRegistry;
  /** `path` is below the registry's root, as in `/simple/`. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(body: string | FormData, headers?: Record<string, string>): Promise<Answer>;
  /** Uploads a distribution, by default a wheel of the project. */
  upload(
    project: ProjectOptions,
    file?: Distribution,
    fields?: Readonly<Record<string, string | null>>,
  ): Promise<Answer>;
  /** The project's page as JSON. */
  simple(project: string): Promise<Json>;
  /** A request to the API below `/api/v1/registries/py/packages`, by default the admin's. */
  api(method: string, path: string, body?: unknown, token?: string): Promise<Answer>;
  /** A new token with these scopes, for some packages where they are named. */
  token(scopes: readonly string[], packages?: readonly string[]): Promise<string>;
  /** As `get`, by the method HEAD. */
  head(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** SHA-256 of everything that blob storage holds. */
  blobs(): Promise<readonly string[]>;
}

export async function openPypiRegistry(
  options: Partial<ServiceOptions> = {},
  registry: Readonly<{ visibility?: "private" | "public"; maxFileBytes?: number }> = {},
): Promise<PypiRegistry> {
  const test = await openTestRegistry(options);
  const { visibility = "private", maxFileBytes } = registry;
  await test.createRegistry({
    slug: "py",
    ecosystem: "pypi",
    visibility,
    ...(maxFileBytes === undefined ? {} : { policies: { maxFileBytes } }),
  });
  const send = async (
    path: string,
    init?: RequestInit & { readonly token?: string },
  ): Promise<Answer> => {
    const response = await test.request(path, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  };
  const pypi: PypiRegistry = {
    test,
    get: (path, headers = {}) => send(`/pypi/py${path}`, { headers }),
    post: async (body, headers = {}) => {
      // As bytes: the stream that undici makes of a form fails loudly when a server refuses it half-way.
      const { headers: own, ...whole } = await wholeBody(body);
      return send("/pypi/py/", { method: "POST", ...whole, headers: { ...own, ...headers } });
    },
    upload: (project, file = buildWheel(project), fields = {}) =>
      pypi.post(uploadForm(project, file, fields)),
    simple: async (project) => {
      const answer = await pypi.get(`/simple/${project}/`, { accept: JSON_TYPE });
      if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
      return answer.json;
    },
    head: (path, headers = {}) => send(`/pypi/py${path}`, { method: "HEAD", headers }),
    token: async (scopes, packages = []) => {
      const answer = await send("/api/v1/tokens", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ description: "test", scopes, packages }),
      });
      if (answer.status !== 201) throw new Error(answer.text);
      return answer.json.token;
    },
    api: (method, path, body, token) =>
      send(`/api/v1/registries/py/packages${path}`, {
        method,
        ...(token === undefined ? {} : { token }),
        headers: { "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    blobs: async () =>
      (await test.stores.blobs.list({ limit: 1000 })).blobs.map(({ sha256 }) => sha256),
    [Symbol.asyncDispose]: () => test.close(),
  };
  return pypi;
}

async function wholeBody(body: string | FormData) {
  const response = new Response(body);
  const type = response.headers.get("content-type") ?? "";
  return { body: await response.arrayBuffer(), headers: { "content-type": type } };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
