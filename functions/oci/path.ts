import { decodeSegments } from "../../shared/http/raw-path.ts";

/** What a path below `/v2/` asks for; names in it are decoded but not checked yet. */
export type OciPath =
  | { readonly kind: "ping" | "token" | "catalog" | "none" }
  | ({ readonly kind: "tags" | "start-upload" } & Repository)
  | ({
      readonly kind: "manifest" | "blob" | "referrers" | "upload";
      readonly last: string;
    } & Repository);

/** `<registry>/<image>`, as the path has them. */
export interface Repository {
  readonly registry: string;
  /** One or more components; empty when the path has none. */
  readonly image: string;
}

/** Outside every repository: no slug starts with an underscore. */
export const TOKEN_PATH = "/v2/_token";
const CATALOG_PATH = "/v2/_catalog";

/**
 * Reads a path from its end, because an image may be called `blobs`, `tags` or `manifests`.
 *
 * @throws {InvalidInputError} for what is not valid percent-encoded UTF-8.
 */
export function parseOciPath(rawPath: string): OciPath {
  if (rawPath === "/v2/" || rawPath === "/v2") return { kind: "ping" };
  if (rawPath === TOKEN_PATH) return { kind: "token" };
  if (rawPath === CATALOG_PATH) return { kind: "catalog" };
  const segments = decodeSegments(rawPath).slice(1);
  const last = segments.at(-1) ?? "";
  const beforeLast = segments.at(-2);
  const named = (depth: number): Repository => ({
    registry: segments[0] ?? "",
    image: segments.slice(1, -depth).join("/"),
  });
  if (beforeLast === "manifests") return { kind: "manifest", last, ...named(2) };
  if (beforeLast === "referrers") return { kind: "referrers", last, ...named(2) };
  if (beforeLast === "tags" && last === "list") return { kind: "tags", ...named(2) };
  if (beforeLast === "blobs") {
    return last === "uploads"
      ? { kind: "start-upload", ...named(2) }
      : { kind: "blob", last, ...named(2) };
  }
  if (beforeLast === "uploads" && segments.at(-3) === "blobs") {
    return last === ""
      ? { kind: "start-upload", ...named(3) }
      : { kind: "upload", last, ...named(3) };
  }
  return { kind: "none" };
}

/** As {@link parseOciPath}, but `undefined` for what cannot be read. */
export function findPath(rawPath: string): OciPath | undefined {
  try {
    return parseOciPath(rawPath);
  } catch {
    return undefined;
  }
}
