import type { Package, PackageFile, Version } from "../../shared/domain/package.ts";
import type { Registry } from "../../shared/domain/registry.ts";
import { urlPath } from "./urls.ts";

/** A file as JSON: in listings, and as the answer to its upload. `url` starts with `baseUrl`. */
export function renderFile(registry: string, file: RenderedFile, baseUrl: string) {
  const { packageName, version, path, sizeBytes, contentType, digests } = file;
  return {
    package: packageName,
    version,
    path,
    sizeBytes,
    contentType,
    digests: { ...digests },
    url: baseUrl + urlPath([registry, packageName, version, path], "file"),
  };
}

type RenderedFile = Omit<PackageFile, "registryId" | "createdAtMs">;

export function renderVersion(registry: Registry, version: Version, baseUrl: string) {
  return {
    version: version.version,
    state: version.state,
    deprecation: version.deprecation,
    sizeBytes: version.sizeBytes,
    fileCount: version.fileCount,
    publishedAt: new Date(version.publishedAtMs).toISOString(),
    publishedBy: version.publishedBy,
    url: baseUrl + urlPath([registry.slug, version.packageName, version.version], "folder"),
  };
}

export function renderPackage(registry: Registry, pkg: Package, baseUrl: string) {
  return {
    name: pkg.name,
    latestVersion: pkg.latestVersion,
    versionCount: pkg.versionCount,
    updatedAt: new Date(pkg.updatedAtMs).toISOString(),
    url: baseUrl + urlPath([registry.slug, pkg.name], "folder"),
  };
}

/**
 * Headers that tell a downloader what the bytes must turn out to be, and what to call them. RFC 9530:
 * `Repr-Digest` is about the whole file, also in the answer to a range.
 */
export function fileHeaders({ digests, path }: PackageFile): Readonly<Record<string, string>> {
  return {
    "x-checksum-md5": digests.md5,
    "x-checksum-sha1": digests.sha1,
    "x-checksum-sha256": digests.sha256,
    "x-checksum-sha512": digests.sha512,
    "repr-digest": `sha-256=:${Buffer.from(digests.sha256, "hex").toString("base64")}:`,
    "content-disposition": attachment(path.slice(path.lastIndexOf("/") + 1)),
  };
}

/**
 * RFC 6266: a plain name for old clients, and RFC 8187's encoded one for all others where the plain one
 * cannot say it.
 */
function attachment(name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]/g, "_").replaceAll(/["\\%]/g, "_");
  if (plain === name) return `attachment; filename="${plain}"`;
  // encodeURIComponent leaves ' ( ) * as they are, which RFC 8187 wants encoded.
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
