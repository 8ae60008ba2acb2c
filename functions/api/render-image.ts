import { InvalidInputError } from "../../shared/errors.ts";
import type { Version } from "../../shared/domain/package.ts";
import type { Registry } from "../../shared/domain/registry.ts";
import type { TreeEntry } from "../../shared/services/images/file-tree.ts";
import type { ImageContents } from "../../shared/services/images/image-contents.ts";
import type { ImageKind } from "../../shared/services/images/image-metadata.ts";
import type { ImageDetails } from "../../shared/services/images/images.ts";

interface Shown {
  readonly registry: Registry;
  readonly version: Version;
  readonly downloads: number;
  readonly baseUrl: string;
}

/** Details of an image in the API's words. */
export function renderImage(shown: Shown, details: ImageDetails) {
  const { registry, version, downloads } = shown;
  const { digests, config, subject, contents, ...rest } = details;
  return {
    registry: registry.slug,
    package: version.packageName,
    version: version.version,
    visibility: registry.visibility,
    publishedAt: new Date(version.publishedAtMs).toISOString(),
    publishedBy: version.publishedBy,
    downloads,
    ...rest,
    ...(digests === undefined ? {} : { digests }),
    ...(config === undefined ? {} : { config }),
    ...(subject === "" ? {} : { subject }),
    ...(contents === undefined
      ? {}
      : { totalBytes: contents.totalBytes, fileCount: contents.fileCount }),
    install: installCommands(shown, details.kind, details.tags),
  };
}

/** What to type to get a version, by its newest tag, which may move, and by digest, which cannot. */
export function installCommands(
  { registry, version, baseUrl }: Pick<Shown, "registry" | "version" | "baseUrl">,
  kind: ImageKind,
  [tag]: readonly string[],
) {
  const { protocol, host } = new URL(baseUrl);
  const name = `${host}/${registry.slug}/${version.packageName}`;
  // docker has this in its daemon's settings, and does so to localhost of its own accord.
  const plain = protocol === "http:" ? " --plain-http" : "";
  if (kind === "chart") {
    // helm finds charts by tag only; it writes the + of a version as _ there.
    if (tag === undefined) return [];
    const versionFlag = `--version ${tag.replaceAll("_", "+")}`;
    const release = version.packageName.split("/").at(-1) ?? "";
    return [
      { label: "Install", command: `helm install${plain} ${release} oci://${name} ${versionFlag}` },
      { label: "Pull", command: `helm pull${plain} oci://${name} ${versionFlag}` },
    ];
  }
  const pull = kind === "artifact" ? `oras pull${plain}` : "docker pull";
  return [
    ...(tag === undefined ? [] : [{ label: "By tag", command: `${pull} ${name}:${tag}` }]),
    { label: "By digest", command: `${pull} ${name}@${version.version}` },
  ];
}

interface ContentsQuery {
  readonly limit: number;
  /** The position of the next entry, as {@link renderContents} gave it. */
  readonly cursor?: string;
  readonly prefix?: string;
  readonly depth?: number;
}

/** A page of an image's files. @throws {InvalidInputError} for a cursor that is not ours. */
export function renderContents(contents: ImageContents, query: ContentsQuery) {
  const { limit, cursor = "0", prefix = "", depth = Infinity } = query;
  if (!/^\d{1,9}$/.test(cursor)) {
    throw new InvalidInputError("The cursor is not one of this list.", [
      { at: "cursor", problem: "not a nextCursor of the page before" },
    ]);
  }
  const { entries, fileCount, totalBytes, problems } = contents;
  const foldersAbove = prefix.split("/").length - 1;
  const items: TreeEntry[] = [];
  let position = Number(cursor);
  for (; position < entries.length && items.length < limit; position++) {
    const entry = entries[position];
    const fits =
      entry?.path.startsWith(prefix) === true &&
      entry.path.split("/").length <= foldersAbove + depth;
    if (fits) items.push(entry);
  }
  const next = position < entries.length ? { nextCursor: String(position) } : {};
  return { items, ...next, fileCount, totalBytes, complete: problems.length === 0, problems };
}
