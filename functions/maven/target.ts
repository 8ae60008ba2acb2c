import type { Context } from "hono";
import type { AppEnv } from "../../shared/http/app.ts";
import { decodeSegments } from "../../shared/http/raw-path.ts";
import { parseLayout, type Request } from "./layout.ts";

/** Reads `/maven/<registry>/<path>`. @throws {InvalidInputError} */
export function parseTarget(c: Context<AppEnv>): Request & { readonly registry: string } {
  const [, registry = "", ...segments] = decodeSegments(c.req.path);
  return { registry, ...parseLayout(segments) };
}
