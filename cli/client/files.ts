import type { ApiClient } from "./api-client.ts";
import { apiPath } from "./api-path.ts";
import { ApiError } from "./failures.ts";
import { fileSchema, type FileView, type RegistryView, registrySchema } from "./schemas.ts";

/** Where a file is, or is to be. */
export interface FileAddress {
  readonly registry: string;
  readonly packageName: string;
  readonly version: string;
  /** Within the version. */
  readonly path: string;
}

/** @throws {ApiError} when there is none, or the caller may not know of it. */
export async function getRegistry(api: ApiClient, slug: string): Promise<RegistryView> {
  return api.send({ path: apiPath`/registries/${slug}`, schema: registrySchema });
}

/** What is published at an address; `undefined` when nothing is. @throws {ApiError} for every other refusal. */
export async function findPublished(
  api: ApiClient,
  { registry, packageName, version, path }: FileAddress,
  signal?: AbortSignal,
): Promise<FileView | undefined> {
  const versionPath = apiPath`/registries/${registry}/packages/${packageName}/versions/${version}`;
  try {
    return await api.send({
      path: versionPath + apiPath`/files/${path}`,
      schema: fileSchema,
      signal,
    });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * The URL to download a file from: the server's path for it under the URL by which we reach the server. Its
 * own URL may be another one, to which our token must not go.
 */
export function downloadUrl(api: ApiClient, file: FileView): string {
  const { pathname, search } = new URL(file.downloadUrl);
  return new URL(pathname + search, api.url).href;
}
