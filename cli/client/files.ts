import type { ApiClient } from "./api-client.ts";
import { apiPath, encodePath } from "./api-path.ts";
import { ApiError, CliError, EXIT } from "./failures.ts";
import { type RegistryView, registrySchema } from "./schemas.ts";

/** Where a file is, or is to be. */
export interface FileAddress {
  readonly registry: string;
  readonly ecosystem: string;
  readonly packageName: string;
  readonly version: string;
  /** Within the version. */
  readonly path: string;
}

export interface PublishedFile {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** @throws {ApiError} when there is none, or the caller may not know of it. */
export async function getRegistry(api: ApiClient, slug: string): Promise<RegistryView> {
  return api.send({ path: apiPath`/registries/${slug}`, schema: registrySchema });
}

/** The URL under which clients get a file. @throws {CliError} for an ecosystem that this version does not know. */
export function downloadUrl(baseUrl: string, address: FileAddress): string {
  const { registry, ecosystem, packageName, version, path } = address;
  if (ecosystem === "generic") {
    return `${baseUrl}/generic/${encodePath([registry, packageName, version].join("/"))}/${encodePath(path)}`;
  }
  if (ecosystem === "npm") {
    const name = packageName.split("/").map(encodePath).join("/").replace("%40", "@");
    return `${baseUrl}/npm/${encodePath(registry)}/${name}/-/${encodePath(path.slice(path.lastIndexOf("/") + 1))}`;
  }
  throw new CliError(
    EXIT.failure,
    `This version of the command cannot transfer files of ${ecosystem} registries.`,
    { hint: `Use the ecosystem's own client; its configuration: entrepot setup ${registry}` },
  );
}

/** What is published under a URL; `undefined` when nothing is. @throws {ApiError} for every other refusal. */
export async function findPublished(
  api: ApiClient,
  url: string,
  signal?: AbortSignal,
): Promise<PublishedFile | undefined> {
  try {
    // Compressed on the way, the file would have another length.
    const headers = { "accept-encoding": "identity" };
    const response = await api.fetch(url, {
      method: "HEAD",
      headers,
      ...(signal === undefined ? {} : { signal }),
    });
    const sha256 =
      response.headers.get("x-checksum-sha256") ??
      response.headers.get("etag")?.replaceAll('"', "") ??
      "";
    const sizeBytes = Number(response.headers.get("content-length"));
    if (/^[0-9a-f]{64}$/.test(sha256) && Number.isSafeInteger(sizeBytes)) {
      return { sha256, sizeBytes };
    }
    throw new CliError(EXIT.failure, `${url} does not tell the SHA-256 of its file, so nothing can be verified.`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
