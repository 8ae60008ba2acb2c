import * as z from "zod";
import type { ServiceOptions } from "../../../shared/services/services.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";

const SCHEMAS = z.record(z.string(), z.unknown());
const OPERATION = z.object({
  responses: z.record(
    z.string(),
    z.object({ content: z.record(z.string(), z.object({ schema: SCHEMAS })).optional() }),
  ),
});
const DOCUMENT = z.object({
  paths: z.record(z.string(), z.record(z.string(), OPERATION)),
  components: z.object({ schemas: SCHEMAS }),
});

type Json = z.core.util.JSONType;
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** `null` when the body is empty. */
  readonly body: Json;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly token?: string | null;
}

/** The API over stores of its own; every answer is held against the OpenAPI document that the API serves. */
export interface ApiClient {
  readonly registry: TestRegistry;
  /** `path` below `/api/v1`. @throws when the answer is not what the document says. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Text of a new token with these rights. */
  tokenFor(rights: Readonly<Record<string, unknown>>): Promise<string>;
  close(): Promise<void>;
}

export async function openApi(options?: Partial<ServiceOptions>): Promise<ApiClient> {
  const registry = await openTestRegistry(options);
  const served = await registry.request("/api/v1/openapi.json");
  const document = DOCUMENT.parse(await served.json());

  const call: ApiClient["call"] = async (method, path, { body, token } = {}) => {
    const response = await registry.request(`/api/v1${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      ...(token === undefined ? {} : { token }),
    });
    const text = await response.text();
    const answer = {
      status: response.status,
      headers: response.headers,
      body: text === "" ? null : z.json().parse(JSON.parse(text)),
    };
    check(document, method, path, answer);
    return answer;
  };

  return {
    registry,
    call,
    tokenFor: async (rights) => {
      const { body } = await call("POST", "/tokens", {
        body: { description: "for a test", registries: [], ...rights },
      });
      return z.object({ token: z.string() }).parse(body).token;
    },
    close: () => registry.close(),
  };
}

function check(
  document: z.infer<typeof DOCUMENT>,
  method: string,
  path: string,
  { status, headers, body }: Answer,
): void {
  const [bare = ""] = `/api/v1${path}`.split("?");
  const found = Object.entries(document.paths)
    .filter(([template]) => matches(template, bare))
    .sort(([a], [b]) => a.split("{").length - b.split("{").length)[0];
  const operation = found?.[1][method.toLowerCase()];
  // A route that is not there at all is for the test to judge.
  if (found === undefined || operation === undefined) return;
  const response = operation.responses[String(status)];
  if (response === undefined)
    throw new Error(`${method} ${found[0]} does not document ${status}: ${JSON.stringify(body)}`);
  if (response.content === undefined) {
    if (body !== null) throw new Error(`${method} ${found[0]} documents no body for ${status}`);
    return;
  }
  const [type = ""] = (headers.get("content-type") ?? "").split(";");
  const content = response.content[type];
  if (content === undefined)
    throw new Error(`${method} ${found[0]} does not document ${type} for ${status}`);
  toZod(document, content.schema).parse(body);
}

/** Slashes of a scope and of a file's path may come raw. */
function matches(template: string, path: string): boolean {
  const pattern = template
    .replaceAll("{path}", ".+")
    .replaceAll("{package}", "(?:(?:@|%40)[^/%]+/)?[^/]+")
    .replaceAll(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${pattern}$`).test(path);
}

function toZod(document: z.infer<typeof DOCUMENT>, schema: unknown): z.ZodType {
  const text = JSON.stringify({ allOf: [schema], $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")));
}
