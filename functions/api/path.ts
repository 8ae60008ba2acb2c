/** What may follow a package's name in our own routes. */
const BELOW_PACKAGE = new Set(["versions", "tags", "restore"]);

/**
 * The path to route by: a scoped package's name, and a file's path, as one segment each, however the client
 * encoded their slashes. `@scope/versions` must come encoded, because it also reads as the versions of
 * `@scope`.
 */
export function canonicalApiPath(path: string): string {
  const segments = path.split("/");
  const [, , , collection, , packages, name, next] = segments;
  if (collection !== "registries" || packages !== "packages" || name === undefined) return path;
  const isHalf = /^(?:@|%40)/.test(name) && !/%2f/i.test(name);
  const joins = isHalf && next !== undefined && next !== "" && !BELOW_PACKAGE.has(next);
  const head = joins
    ? [...segments.slice(0, 6), `${name}%2F${next}`, ...segments.slice(8)]
    : segments;
  return joinFilePath(head);
}

/** `…/packages/{package}/versions/{version}/files/a/b` has its path from the 11th segment on. */
function joinFilePath(segments: readonly string[]): string {
  const isFile = segments[7] === "versions" && segments[9] === "files" && segments.length > 11;
  if (!isFile) return segments.join("/");
  return `${segments.slice(0, 10).join("/")}/${segments.slice(10).join("%2F")}`;
}
