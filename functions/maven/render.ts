import type { ClosingChange, DocumentRenderer } from "../../shared/services/ecosystem.ts";
import type { ArchetypeRow, PluginRow } from "./index-rows.ts";
import { coordinatesOf } from "./layout.ts";
import { compareBuilds } from "./snapshots.ts";
import { isListed, utcStamp, type VersionFacts } from "./version-facts.ts";
import { compareVersions, isSnapshot, sortVersions } from "./versions.ts";
import { escapeXml } from "./xml-text.ts";

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Names the document of a package: its maven-metadata.xml. */
export const METADATA_KIND = "maven-metadata";
export const XML_TYPE = "application/xml";

interface Ends {
  readonly latest: string;
  readonly release: string;
}

/**
 * `maven-metadata.xml` of an artifact, https://maven.apache.org/repositories/metadata.html: its complete versions.
 * `latest` and `release` are the highest by Maven's order, snapshots only for the former: the last one deployed,
 * which Maven writes, would let a fix of an old line become the release.
 */
export const METADATA_RENDERER: DocumentRenderer = {
  kind: METADATA_KIND,
  contentType: XML_TYPE,
  separator: "",
  opening: ({ packageName }) => opening(packageName),
  entry: (_scope, { version, metadata }) => (isListed(metadata) ? entry(version) : ""),
  closing: (view, previous, change) =>
    closing(endsAfter(previous, change), utcStamp(view.package.updatedAtMs)),
};

/** The same of versions in any order. `lastUpdated`: `yyyyMMddHHmmss`, empty when it is not known. */
export function renderMetadata(
  packageName: string,
  versions: readonly string[],
  lastUpdated: string,
): string {
  const sorted = sortVersions(versions);
  const ends = {
    latest: sorted.at(-1) ?? "",
    release: sorted.findLast((version) => !isSnapshot(version)) ?? "",
  };
  return `${opening(packageName)}${sorted.map(entry).join("")}${closing(ends, lastUpdated)}`;
}

function opening(packageName: string): string {
  const { group, artifact } = coordinatesOf(packageName);
  return `${HEAD}<metadata>\n  <groupId>${group}</groupId>\n  <artifactId>${artifact}</artifactId>\n  <versioning>\n    <versions>\n`;
}

const entry = (version: string): string => `      <version>${version}</version>\n`;

const closing = ({ latest, release }: Ends, lastUpdated: string): string =>
  [
    "    </versions>\n",
    latest === "" ? "" : `    <latest>${latest}</latest>\n`,
    release === "" ? "" : `    <release>${release}</release>\n`,
    lastUpdated === "" ? "" : `    <lastUpdated>${lastUpdated}</lastUpdated>\n`,
    "  </versioning>\n</metadata>\n",
  ].join("");

function endsAfter(previous: string | undefined, change: ClosingChange): Ends {
  const before: Ends =
    change.kind === "rebuild" || previous === undefined
      ? { latest: "", release: "" }
      : { latest: elementIn(previous, "latest"), release: elementIn(previous, "release") };
  if (change.kind === "closing") return before;
  const added = change.kind === "rebuild" ? change.versions : [change.version];
  return added
    .filter(({ metadata }) => isListed(metadata))
    .reduce((ends, { version }) => withVersion(ends, version), before);
}

function withVersion({ latest, release }: Ends, version: string): Ends {
  return {
    latest: higher(latest, version),
    release: isSnapshot(version) ? release : higher(release, version),
  };
}

const higher = (known: string, version: string): string =>
  known === "" || compareVersions(version, known) >= 0 ? version : known;

/** Of our own text, in which nothing is escaped. */
const elementIn = (text: string, name: string): string =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "";

/** `maven-metadata.xml` of a snapshot version; `undefined` when it has no file with a time in its name. */
export function renderSnapshot(
  packageName: string,
  version: string,
  facts: VersionFacts,
): string | undefined {
  const files = facts.snapshot;
  const [newest] = files.toSorted((a, b) => compareBuilds(b, a));
  if (newest === undefined) return undefined;
  const { group, artifact } = coordinatesOf(packageName);
  const updated = files.reduce(
    (latest, file) => (file.updated > latest ? file.updated : latest),
    "",
  );
  const entries = files.map(
    (file) =>
      `      <snapshotVersion>\n${file.classifier === "" ? "" : `        <classifier>${file.classifier}</classifier>\n`}        <extension>${file.extension}</extension>\n        <value>${file.value}</value>\n        <updated>${file.updated}</updated>\n      </snapshotVersion>\n`,
  );
  return `${HEAD}<metadata modelVersion="1.1.0">
  <groupId>${group}</groupId>
  <artifactId>${artifact}</artifactId>
  <version>${version}</version>
  <versioning>
    <snapshot>
      <timestamp>${newest.timestamp}</timestamp>
      <buildNumber>${newest.number}</buildNumber>
    </snapshot>
    <lastUpdated>${updated}</lastUpdated>
    <snapshotVersions>
${entries.join("")}    </snapshotVersions>
  </versioning>
</metadata>
`;
}

/** `maven-metadata.xml` of a group: the prefixes of its plugins. */
export function renderPlugins(plugins: readonly PluginRow[]): string {
  const entries = plugins.map(
    ({ name, prefix, artifact }) =>
      `    <plugin>\n      <name>${escapeXml(name)}</name>\n      <prefix>${escapeXml(prefix)}</prefix>\n      <artifactId>${artifact}</artifactId>\n    </plugin>\n`,
  );
  return `${HEAD}<metadata>\n  <plugins>\n${entries.join("")}  </plugins>\n</metadata>\n`;
}

/** https://maven.apache.org/archetype/archetype-models/archetype-catalog/archetype-catalog.html */
export function renderArchetypes(archetypes: readonly ArchetypeRow[]): string {
  const entries = archetypes.map(({ packageName, version, description }) => {
    const { group, artifact } = coordinatesOf(packageName);
    return `    <archetype>\n      <groupId>${group}</groupId>\n      <artifactId>${artifact}</artifactId>\n      <version>${version}</version>\n      <description>${escapeXml(description)}</description>\n    </archetype>\n`;
  });
  return `${HEAD}<archetype-catalog>\n  <archetypes>\n${entries.join("")}  </archetypes>\n</archetype-catalog>\n`;
}
