import { validRange } from "semver";
import type { EcosystemName } from "../../shared/domain/registry.ts";

interface EcosystemFacts {
  /** Whether a name can be a tag; none can where tags are no part of the protocol. */
  readonly isTag: (name: string) => boolean;
  /** First segments of the URLs that its clients are pointed at. */
  readonly rootPath: string;
  /** Path under which its clients download a file, encoded. */
  readonly downloadPath: (
    registry: string,
    packageName: string,
    version: string,
    path: string,
  ) => string;
}

/** What the API tells of each ecosystem beyond its records; a new one does not compile without. */
export const ECOSYSTEM_FACTS: Readonly<Record<EcosystemName, EcosystemFacts>> = {
  generic: {
    isTag: () => false,
    rootPath: "/generic",
    downloadPath: (registry, packageName, version, path) =>
      `/generic/${registry}/${encodePath(packageName)}/${encodePath(version)}/${encodePath(path)}`,
  },
  maven: {
    isTag: () => false,
    rootPath: "/maven",
    // A colon divides group and artifact; the dots of a group are folders.
    downloadPath: (registry, packageName, version, path) => {
      const [group = "", artifact = ""] = packageName.split(":");
      const folder = encodePath(`${group.replaceAll(".", "/")}/${artifact}`);
      return `/maven/${registry}/${folder}/${encodePath(version)}/${encodePath(path)}`;
    },
  },
  npm: {
    // https://docs.npmjs.com/cli/v11/commands/npm-dist-tag#caveats: a tag must not read as a version or range.
    isTag: (name) => encodeURIComponent(name) === name && validRange(name) === null,
    rootPath: "/npm",
    downloadPath: (registry, packageName, _version, path) =>
      `/npm/${registry}/${encodePath(packageName)}/-/${encodePath(path)}`,
  },
  oci: {
    // https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
    isTag: (name) => /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/.test(name),
    rootPath: "/v2",
    // `blobs/<digest>` is what was uploaded by ticket; everything else is a manifest.
    downloadPath: (registry, packageName, version, path) =>
      `/v2/${registry}/${packageName}/${path.startsWith("blobs/") ? path : `manifests/${version}`}`,
  },
  pypi: {
    isTag: () => false,
    rootPath: "/pypi",
    downloadPath: (registry, packageName, version, path) =>
      `/pypi/${registry}/files/${packageName}/${encodePath(version)}/${encodePath(path)}`,
  },
};

/** Slashes stay, and the @ of a scope, which npm's clients leave as it is too. */
function encodePath(path: string): string {
  return path
    .split("/")
    .map((segment) => encodeURIComponent(segment).replace(/^%40/, "@"))
    .join("/");
}
