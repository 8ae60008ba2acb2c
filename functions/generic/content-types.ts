const OCTETS = "application/octet-stream";

/** A media type with parameters, of characters that are safe in a header (RFC 9110, 8.3.1). */
const MEDIA_TYPE =
  /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(?:[ \t]*;[ \t]*[\w!#$&^.+-]{1,40}=(?:[\w!#$&^.+-]{1,70}|"[\w !#$&^.+:/=-]{0,70}"))*$/;

/** By the end of a path, for uploads that say nothing; the longer end wins. Nothing that browsers run. */
const BY_EXTENSION: readonly (readonly [string, string])[] = [
  [".tar.gz", "application/gzip"],
  [".tgz", "application/gzip"],
  [".gz", "application/gzip"],
  [".tar", "application/x-tar"],
  [".xz", "application/x-xz"],
  [".bz2", "application/x-bzip2"],
  [".zst", "application/zstd"],
  [".zip", "application/zip"],
  [".7z", "application/x-7z-compressed"],
  [".jar", "application/java-archive"],
  [".whl", "application/zip"],
  [".json", "application/json"],
  [".txt", "text/plain"],
  [".md", "text/markdown"],
  [".csv", "text/csv"],
  [".yaml", "application/yaml"],
  [".yml", "application/yaml"],
  [".toml", "application/toml"],
  [".pdf", "application/pdf"],
  [".png", "image/png"],
  [".jpg", "image/jpeg"],
  [".jpeg", "image/jpeg"],
  [".webp", "image/webp"],
  [".gif", "image/gif"],
  [".wasm", "application/wasm"],
  [".deb", "application/vnd.debian.binary-package"],
  [".rpm", "application/x-rpm"],
  [".sig", "application/pgp-signature"],
  [".asc", "application/pgp-signature"],
];

/**
 * The media type to store with a file: the client's, if it is one and can stand in a header; by the path's
 * extension when the client named none; `application/octet-stream` otherwise.
 */
export function contentTypeFor(header: string | undefined, path: string): string {
  const named = header?.trim() ?? "";
  // curl --data-binary says this of everything it sends, meaning nothing by it.
  if (named === "" || named === "application/x-www-form-urlencoded") {
    const lower = path.toLowerCase();
    return BY_EXTENSION.find(([extension]) => lower.endsWith(extension))?.[1] ?? OCTETS;
  }
  return named.length <= 200 && MEDIA_TYPE.test(named) ? named : OCTETS;
}
