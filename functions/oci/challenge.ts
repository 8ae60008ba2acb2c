import { baseUrlOf } from "../../shared/http/app.ts";
import type { ServiceOptions } from "../../shared/services/services.ts";
import { findPath, TOKEN_PATH } from "./path.ts";

/** What a client must be granted for a method, in the words of docker's token flow. */
const ACTIONS: Readonly<Record<string, string>> = {
  GET: "pull",
  HEAD: "pull",
  DELETE: "pull,delete",
};

const NAME = /^[a-z0-9._/-]{1,255}$/;

/**
 * The challenge of a 401: where to get a token and for what. Bearer only: docker takes the first scheme that it
 * knows, and whoever sends Basic without being asked is let in by it.
 * https://distribution.github.io/distribution/spec/auth/token/
 */
export function challengeFor(request: Request, options: ServiceOptions): string {
  const baseUrl = baseUrlOf(request, options);
  const { pathname } = new URL(request.url);
  const path = findPath(pathname);
  const parts = [`realm="${baseUrl}${TOKEN_PATH}"`, `service="${new URL(baseUrl).host}"`];
  if (path?.kind === "catalog") parts.push('scope="registry:catalog:*"');
  if (path !== undefined && "image" in path) {
    const name = `${path.registry}/${path.image}`;
    const isUpload = path.kind === "upload" || path.kind === "start-upload";
    const actions = isUpload ? "pull,push" : (ACTIONS[request.method] ?? "pull,push");
    const from = new URL(request.url).searchParams.get("from");
    // Only what can stand inside quotes; another name gets an error of its own after the login.
    const scopes = [
      ...(NAME.test(name) ? [`repository:${name}:${actions}`] : []),
      ...(isUpload && from !== null && NAME.test(from) ? [`repository:${from}:pull`] : []),
    ];
    if (scopes.length > 0) parts.push(`scope="${scopes.join(" ")}"`);
  }
  return `Bearer ${parts.join(",")}`;
}
