import { announcedDigests } from "../../shared/http/checksums.ts";
import type {
  ListedFile,
  ListedVersion,
  Listing,
  ListingFormat,
  MergedListing,
} from "../../shared/services/views/listing.ts";
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
  date: async (body, { packageName }, ask) =>
    writeDated(await dateVersions(packageName, readArtifactMetadata(body, packageName), ask)),
  render: (_kind, { packageName }, listing) => ({
    contentType: XML_TYPE,
    text: renderMetadata(
      packageName,
      listing.versions.map(({ version }) => version),
      lastUpdated(listing),
    ),
  }),
  locate: (packageName, version, path) =>
    listed(version, 0, "", [locatedFile(packageName, version, path)]),
};

const undated = ({
  versions,
  lastUpdated: updated,
}: ReturnType<typeof readArtifactMetadata>): DatedVersions => ({
  lastUpdated: updated,
  versions: versions.map((version) => [version, 0]),
});

const toListing = ({ versions, lastUpdated: updated }: DatedVersions): Listing => ({
  tags: {},
  versions: versions.map(([version, publishedAtMs]) => listed(version, publishedAtMs, updated, [])),
  about: {},
});

/** `updated` stands with each version, so that a merged document knows the time of every one that it is made of. */
const listed = (
  version: string,
  publishedAtMs: number,
  updated: string,
  files: readonly ListedFile[],
): ListedVersion => ({ version, publishedAtMs, entry: { ...FETCHED, updated }, files });

function lastUpdated({ versions }: MergedListing): string {
  let latest = "";
  for (const { entry } of versions) {
    const { updated } = entry;
    if (typeof updated === "string" && updated > latest) latest = updated;
  }
  return latest;
}

/** Where a file is by the layout, and where its sums are: clients ask for the SHA-1 first, and Central has no other for most. */
function locatedFile(packageName: string, version: string, path: string): ListedFile {
  const url = `${folderPath(packageName)}/${encodeURIComponent(version)}/${encodeURIComponent(path)}`;
  const isFixed =
    !isSnapshot(version) || parseArtifactName(packageName, version, path)?.build !== undefined;
  return {
    path,
    url,
    expected: {},
    announced: announcedDigests,
    contentType: contentTypeOf(path),
    sums: [
      { algorithm: "sha1", url: `${url}.sha1` },
      { algorithm: "sha256", url: `${url}.sha256` },
      { algorithm: "md5", url: `${url}.md5` },
    ],
    ...(isFixed ? {} : { changes: true }),
  };
}
