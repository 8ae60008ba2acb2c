import type { ApiClient } from "./api-client.ts";
import { apiPath } from "./api-path.ts";
import { ApiError, CliError, EXIT, usageError } from "./failures.ts";
import { downloadUrl, type FileAddress, findPublished } from "./files.ts";
import type { PackageSpec } from "./package-spec.ts";
import { list } from "./pages.ts";
import {
  fileSchema,
  packageSchema,
  type FileView,
  type RegistryView,
  tagSchema,
  versionSchema,
} from "./schemas.ts";
import type { HashedFile } from "./transfer/hash-file.ts";

const MAX_NAMES_SHOWN = 20;
/** More files than a person would choose from. */
const MAX_FILES = 1000;

export interface FoundFile extends HashedFile {
  readonly version: string;
  readonly path: string;
  readonly url: string;
}

/**
 * The file that `pull` means: without a version the latest one, with a tag the one it points at; without a
 * path the only file of the version.
 *
 * @throws {CliError} with exit code 4 when there is none, 2 when there are several to choose from.
 */
export async function findFile(
  api: ApiClient,
  registry: RegistryView,
  spec: PackageSpec,
  path: string | undefined,
): Promise<FoundFile> {
  const { slug } = registry;
  const packagePath = apiPath`/registries/${slug}/packages/${spec.name}`;
  const version = await resolveVersion(api, packagePath, spec);
  const address = { registry: slug, packageName: spec.name, version };
  const wanted = path === undefined ? undefined : await findPublished(api, { ...address, path });
  const file = wanted ?? (await chooseFile(api, address, path));
  const { sizeBytes, digests } = file;
  const url = downloadUrl(api, file);
  return { version, path: file.path, sizeBytes, sha256: digests.sha256, url };
}

/** The only file of a version; refuses, naming what there is, in every other case. */
async function chooseFile(
  api: ApiClient,
  { registry, packageName, version }: Omit<FileAddress, "path">,
  path: string | undefined,
): Promise<FileView> {
  const versionPath = apiPath`/registries/${registry}/packages/${packageName}/versions/${version}`;
  const { items } = await list(api, fileSchema, { path: `${versionPath}/files`, limit: MAX_FILES });
  const paths = items.map((file) => file.path);
  const [only] = items;
  if (path !== undefined) {
    throw new CliError(EXIT.notFound, `There is no file "${path}" in ${packageName} ${version}.`, {
      hint: `It has: ${shorten(paths)}`,
    });
  }
  if (only !== undefined && items.length === 1) return only;
  throw several(registry, `${packageName}@${version}`, paths);
}

async function resolveVersion(
  api: ApiClient,
  packagePath: string,
  { name, version: wanted }: PackageSpec,
): Promise<string> {
  if (wanted === undefined || wanted === "latest") {
    // Where it is a tag, as in npm, people move it: it need not be the highest version.
    const tagged = await findTag(api, packagePath, "latest");
    if (tagged !== undefined) return tagged;
    const { latestVersion } = await api.send({ path: packagePath, schema: packageSchema });
    const found = latestVersion ?? "";
    if (found !== "") return found;
    throw new CliError(EXIT.notFound, `${name} has no version that can be downloaded.`);
  }
  try {
    const path = `${packagePath}${apiPath`/versions/${wanted}`}`;
    return (await api.send({ path, schema: versionSchema })).version;
  } catch (error) {
    // A tag of npm cannot be a version, and is refused as one.
    const mayBeTag = error instanceof ApiError && [404, 400].includes(error.status);
    if (!mayBeTag) throw error;
    const tagged = await findTag(api, packagePath, wanted);
    if (tagged !== undefined) return tagged;
    if (error.status === 404) throw error;
    throw new CliError(EXIT.notFound, `${name} has no version or tag "${wanted}".`);
  }
}

/** The version that a tag points at; `undefined` when there is no such tag, or tags are not a thing there. */
async function findTag(
  api: ApiClient,
  packagePath: string,
  name: string,
): Promise<string | undefined> {
  try {
    const tags = await list(api, tagSchema, { path: `${packagePath}/tags`, limit: Infinity });
    return tags.items.find((tag) => tag.name === name)?.version;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.code === "unsupported")) {
      return undefined;
    }
    throw error;
  }
}

function several(slug: string, what: string, paths: readonly string[]): CliError {
  if (paths.length === 0) return new CliError(EXIT.notFound, `${what} has no files.`);
  return usageError(
    `${what} has ${paths.length} files; name one of them: ${shorten(paths)}`,
    `entrepot pull ${slug} ${what} <path>`,
  );
}

function shorten(paths: readonly string[]): string {
  const more = paths.length > MAX_NAMES_SHOWN ? `, and ${paths.length - MAX_NAMES_SHOWN} more` : "";
  return paths.slice(0, MAX_NAMES_SHOWN).join(", ") + more;
}
