import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type * as z from "zod";
import { type InputIssue, InvalidInputError, UnauthenticatedError } from "../../shared/errors.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import { type JsonLimits, parseJson, readText } from "../../shared/http/json-body.ts";
import { decodeSegments } from "../../shared/http/raw-path.ts";

/** No request of the API needs more. */
const LIMITS: JsonLimits = { maxBytes: 256 * 1024, maxDepth: 16 };
const MAX_ISSUES = 20;

const JSON_TYPE = /^application\/(?:[a-z.-]+\+)?json(?:;|$)/i;

export type ApiRouter = OpenAPIHono<AppEnv>;

/** A router whose routes refuse what does not fit their schemas with {@link InvalidInputError}. */
export function createRouter(): ApiRouter {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) => {
      // Without a content type no body is looked for, and one without required fields would pass as `{}`.
      if (result.target === "json" && c.req.raw.body === null) {
        throw new InvalidInputError(
          "The request needs a body in JSON, with Content-Type: application/json.",
          [{ at: "", problem: "missing" }],
        );
      }
      if (!result.success) throw invalidInput(result.target, result.error);
    },
  });
}

/** Where credentials of another kind come in the body. */
const CREDENTIALS_IN_BODY = "/api/v1/identity/aws";

/**
 * What comes before any route: a path that decodes, credentials for whatever changes something, and a body
 * that is JSON within bounds.
 */
export const guardRequest: MiddlewareHandler<AppEnv> = async (c, next) => {
  decodeSegments(c.req.path);
  if (["POST", "PUT", "PATCH", "DELETE"].includes(c.req.method)) {
    const isAnonymous = c.get("caller").principal.kind === "anonymous";
    if (isAnonymous && c.req.path !== CREDENTIALS_IN_BODY) throw new UnauthenticatedError();
    await boundBody(c);
  }
  await next();
};

async function boundBody(c: Parameters<MiddlewareHandler<AppEnv>>[0]): Promise<void> {
  const { raw } = c.req;
  if (raw.body === null || raw.method === "DELETE") return;
  const text = await readText(raw, LIMITS.maxBytes);
  const headers = new Headers(raw.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  if (text !== "") {
    // A form of another site can send anything but this type, so a browser's saved password is no danger.
    if (!JSON_TYPE.test(raw.headers.get("content-type") ?? "")) {
      throw new InvalidInputError(
        "The request body must be JSON: send it with Content-Type: application/json.",
        [{ at: "content-type", problem: "not application/json" }],
      );
    }
    parseJson(text, LIMITS.maxDepth);
  }
  // The routes read what was checked, not the stream that it came from.
  c.req.raw = new Request(raw.url, {
    method: raw.method,
    headers,
    signal: raw.signal,
    ...(text === "" ? {} : { body: text }),
  });
}

function invalidInput(target: string, error: z.core.$ZodError): InvalidInputError {
  const issues = error.issues.flatMap((issue) => issuesOf(target, issue)).slice(0, MAX_ISSUES);
  const first = issues[0];
  const what = target === "json" ? "body" : target === "param" ? "path" : target;
  const where =
    first === undefined ? "" : ` ${first.at === "" ? "" : `${first.at}: `}${first.problem}`;
  return new InvalidInputError(`The ${what} of the request is not valid.${where}`, issues);
}

function issuesOf(target: string, issue: z.core.$ZodIssue): readonly InputIssue[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      at: place(target, [...issue.path, key.slice(0, 80).toWellFormed()]),
      problem: "unknown; remove it, or check its spelling",
    }));
  }
  return [{ at: place(target, issue.path), problem: issue.message.slice(0, 300) }];
}

/** A JSON pointer (RFC 6901) into a body, or the parameter's name. */
function place(target: string, path: readonly PropertyKey[]): string {
  if (target !== "json") return path.map(String).join(".");
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
