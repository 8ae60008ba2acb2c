/**
 * The path of a thing below `/generic`, encoded: a registry, package, version or file, by how many names are
 * given. `folder` adds the slash at the end under which things are listed.
 */
export function urlPath(
  names: readonly [registry: string, packageName?: string, version?: string, path?: string],
  kind: "folder" | "file",
): string {
  const [registry, packageName, version, path] = names;
  const segments = [registry, packageName, version, ...(path?.split("/") ?? [])];
  const encoded = segments
    .filter((segment) => segment !== undefined)
    .map((segment) => encodeURIComponent(segment));
  return `/generic/${encoded.join("/")}${kind === "folder" ? "/" : ""}`;
}
