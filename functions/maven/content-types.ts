/** By what build tools call their files; nothing that browsers run. */
const BY_EXTENSION: Readonly<Record<string, string>> = {
  jar: "application/java-archive",
  war: "application/java-archive",
  ear: "application/java-archive",
  aar: "application/zip",
  zip: "application/zip",
  klib: "application/zip",
  pom: "application/xml",
  xml: "application/xml",
  module: "application/json",
  json: "application/json",
  asc: "application/pgp-signature",
  gz: "application/gzip",
};

/** The media type of a file by its name: what clients send is the same for everything. */
export function contentTypeOf(path: string): string {
  const extension = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  return Object.hasOwn(BY_EXTENSION, extension)
    ? (BY_EXTENSION[extension] ?? "application/octet-stream")
    : "application/octet-stream";
}
