import type { PackageFile } from "../domain/package.ts";
import type { Item, Key, PutOp, Query } from "../ports/table.ts";
import { bytes, number, text } from "./attributes.ts";
import { digestsOf } from "./digests.ts";
import { packagePartition } from "./packages.ts";
import type { PageOptions } from "./pages.ts";

/** A version holds no `#`, so the path after the second one may hold anything. */
export const fileKey = (
  registryId: string,
  packageName: string,
  version: string,
  path: string,
): Key => ({
  pk: packagePartition(registryId, packageName),
  sk: `F#${version}#${path}`,
});

/** `content`: the file's bytes, for small files that have no blob; see {@link fileContent}. */
export function fileItem(file: PackageFile, content?: Uint8Array): Item {
  const { digests, ...rest } = file;
  return {
    key: fileKey(file.registryId, file.packageName, file.version, file.path),
    attributes: { ...rest, ...digests, ...(content === undefined ? {} : { content }) },
  };
}

/** The bytes that the row holds; `undefined` when they are in a blob. */
export const fileContent = (item: Item): Uint8Array | undefined =>
  "content" in item.attributes ? bytes(item, "content") : undefined;

export function toFile(item: Item): PackageFile {
  return {
    registryId: text(item, "registryId"),
    packageName: text(item, "packageName"),
    version: text(item, "version"),
    path: text(item, "path"),
    sizeBytes: number(item, "sizeBytes"),
    digests: digestsOf(item),
    contentType: text(item, "contentType"),
    createdAtMs: number(item, "createdAtMs"),
    ...("publishedAtMs" in item.attributes ? { publishedAtMs: number(item, "publishedAtMs") } : {}),
  };
}

export const createFileOp = (file: PackageFile): PutOp => ({
  op: "put",
  item: fileItem(file),
  conditions: [{ kind: "absent" }],
});

/** Replaces the bytes that were read; fails when they changed since. */
export const replaceFileOp = (file: PackageFile, readSha256: string): PutOp => ({
  op: "put",
  item: fileItem(file),
  conditions: [{ kind: "equals", attribute: "sha256", value: readSha256 }],
});

export const listFilesQuery = (
  registryId: string,
  packageName: string,
  version: string,
  options: PageOptions & { readonly prefix?: string },
): Query => {
  const { prefix, ...page } = options;
  return {
    pk: packagePartition(registryId, packageName),
    range: { prefix: `F#${version}#${prefix ?? ""}` },
    ...page,
  };
};
