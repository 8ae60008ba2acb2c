import { announcedDigests } from "../../shared/http/checksums.ts";
import type { FileLocator } from "../../shared/services/ecosystem.ts";
import type { Listing, ListingFormat, MergedListing } from "../../shared/services/views/listing.ts";
import { contentTypeOf } from "./content-types.ts";
import { dateVersions, type DatedVersions, readDated, writeDated } from "./dated-versions.ts";
import { folderPath } from "./layout.ts";
import { METADATA_KIND, renderMetadata, XML_TYPE } from "./render.ts";
import { parseArtifactName } from "./snapshots.ts";
import { METADATA_REQUEST, readArtifactMetadata } from "./upstream-metadata.ts";
import { FETCHED } from "./version-facts.ts";
import { isSnapshot } from "./versions.ts";

/**
 * `maven-metadata.xml` of other repositories. It names versions and says nothing of them; files are found by their
 * path, as build tools find them: repositories have versions that their metadata does not list.
 */
export const MAVEN_LISTINGS: ListingFormat = {
  sourceKind: METADATA_KIND,
  request: (packageName) => ({
    path: `${folderPath(packageName)}/maven-metadata.xml`,
    headers: METADATA_REQUEST,
  }),
  parse: (body, { packageName }) =>
    toListing(readDated(body) ?? undated(readArtifactMetadata(body, packageName))),
  date: async (body, packageName, ask) =>
    writeDated(await dateVersions(packageName, readArtifactMetadata(body, packageName), ask)),
  render: (_kind, { packageName }, listing) => ({
    contentType: XML_TYPE,
    text: renderMetadata(
      packageName,
      listing.versions.map(({ version }) => version),
      lastUpdated(listing),
    ),
  }),
};

/** Files of other repositories, by Maven's layout. */
export const MAVEN_FILES: FileLocator = {
  locate: filePath,
  contentType: contentTypeOf,
  announced: announcedDigests,
  more: (packageName, version, path) => {
    const url = filePath(packageName, version, path);
    const isFixed =
      !isSnapshot(version) || parseArtifactName(packageName, version, path)?.build !== undefined;
    return {
      // Clients ask for the SHA-1 first, and the public repository has no better one for most.
      sums: [
        { algorithm: "sha1", url: `${url}.sha1` },
        { algorithm: "sha256", url: `${url}.sha256` },
        { algorithm: "md5", url: `${url}.md5` },
      ],
      ...(isFixed ? {} : { changes: true }),
    };
  },
  metadata: FETCHED,
};

function filePath(packageName: string, version: string, path: string): string {
  return `${folderPath(packageName)}/${encodeURIComponent(version)}/${encodeURIComponent(path)}`;
}

const undated = ({
  versions,
  lastUpdated: updated,
}: ReturnType<typeof readArtifactMetadata>): DatedVersions => ({
  lastUpdated: updated,
  versions: versions.map((version) => [version, 0]),
});

const toListing = ({ versions, lastUpdated: updated }: DatedVersions): Listing => ({
  tags: {},
  // The time stands with each version, so that a merged document knows that of every one that it is made of.
  versions: versions.map(([version, publishedAtMs]) => ({
    version,
    publishedAtMs,
    entry: { ...FETCHED, updated },
    files: [],
  })),
  about: {},
});

function lastUpdated({ versions }: MergedListing): string {
  let latest = "";
  for (const { entry } of versions) {
    const { updated } = entry;
    if (typeof updated === "string" && updated > latest) latest = updated;
  }
  return latest;
}
