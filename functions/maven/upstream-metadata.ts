import * as z from "zod";
import { RegistryError } from "../../shared/errors.ts";
import type { PluginRow } from "./index-rows.ts";
import { coordinatesOf, parsePackageName, parseVersion } from "./layout.ts";
import type { Build } from "./snapshots.ts";
import { entriesOf, parseXml } from "./xml.ts";
import { unescapeXml } from "./xml-text.ts";

/** What is sent when metadata is asked for. */
export const METADATA_REQUEST = { accept: "application/xml, text/xml;q=0.9, */*;q=0.1" } as const;

/** 80,000 versions. */
const MAX_BYTES = 8 * 1024 * 1024;

const metadata = z.looseObject({
  groupId: z.unknown().optional(),
  artifactId: z.unknown().optional(),
  versioning: z.unknown().optional(),
  plugins: z.unknown().optional(),
});
const versioning = z.looseObject({
  versions: z.unknown().optional(),
  snapshot: z.unknown().optional(),
  lastUpdated: z.unknown().optional(),
});
const plugin = z.object({
  name: z.string().max(200).default(""),
  prefix: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/),
  artifactId: z.string().max(200),
});
const snapshot = z.object({
  timestamp: z.string().regex(/^\d{8}\.\d{6}$/),
  buildNumber: z.string().regex(/^\d{1,9}$/),
});

/** What a repository's `maven-metadata.xml` of an artifact says. */
export interface ArtifactMetadata {
  /** Those that can be versions, each once. */
  readonly versions: readonly string[];
  /** `yyyyMMddHHmmss` in UTC; empty when it does not say. */
  readonly lastUpdated: string;
}

/**
 * Reads the metadata of an artifact. That of a group of plugins, which may be at the same path, has no versions.
 *
 * @throws {SyntaxError} when it is no metadata, or that of another artifact.
 */
export function readArtifactMetadata(body: Uint8Array, packageName: string): ArtifactMetadata {
  const content = readMetadata(body);
  requireArtifact(content, packageName);
  const parsed = versioning.safeParse(content.versioning);
  if (!parsed.success) return { versions: [], lastUpdated: "" };
  const { versions, lastUpdated } = parsed.data;
  const named = entriesOf(versions, "version").filter(
    (version): version is string => typeof version === "string" && isValid(parseVersion, version),
  );
  return {
    versions: [...new Set(named)],
    lastUpdated: typeof lastUpdated === "string" && /^\d{14}$/.test(lastUpdated) ? lastUpdated : "",
  };
}

/** The newest build that the metadata of a snapshot names; `undefined` when builds have no names there. @throws {SyntaxError} */
export function readSnapshotMetadata(body: Uint8Array, packageName: string): Build | undefined {
  const content = readMetadata(body);
  requireArtifact(content, packageName);
  const parsed = snapshot.safeParse(versioning.safeParse(content.versioning).data?.snapshot);
  if (!parsed.success) return undefined;
  const { timestamp, buildNumber } = parsed.data;
  return { timestamp, number: Number(buildNumber) };
}

/** Plugins of a group; those that cannot be used are left out. @throws {SyntaxError} when it is no metadata. */
export function readGroupPlugins(body: Uint8Array, group: string): readonly PluginRow[] {
  return entriesOf(readMetadata(body).plugins, "plugin").flatMap((entry) => {
    const parsed = plugin.safeParse(entry);
    if (!parsed.success) return [];
    const { artifactId: artifact, prefix, name } = parsed.data;
    const packageName = `${group}:${artifact}`;
    return isValid(parsePackageName, packageName)
      ? [{ packageName, artifact, prefix, name: unescapeXml(name) }]
      : [];
  });
}

function readMetadata(body: Uint8Array): z.output<typeof metadata> {
  if (body.length > MAX_BYTES) throw new SyntaxError(`it is larger than ${MAX_BYTES} bytes`);
  const root = z.object({ metadata: z.unknown().optional() }).safeParse(parsed(body));
  // An element without content is empty text.
  const content = root.success && root.data.metadata === "" ? {} : root.data?.metadata;
  const found = metadata.safeParse(content);
  if (!found.success) throw new SyntaxError("it has no <metadata> in it");
  return found.data;
}

function parsed(body: Uint8Array): unknown {
  try {
    return parseXml(body, "maven-metadata.xml");
  } catch (error) {
    if (error instanceof RegistryError) throw new SyntaxError(error.message, { cause: error });
    throw error;
  }
}

/** Old tools leave the names out. */
function requireArtifact(
  { groupId, artifactId }: z.output<typeof metadata>,
  packageName: string,
): void {
  const { group, artifact } = coordinatesOf(packageName);
  if ((artifactId ?? artifact) === artifact && (groupId ?? group) === group) return;
  // A group's may name the group alone.
  if (artifactId === undefined && groupId === `${group}.${artifact}`) return;
  throw new SyntaxError(`it is not the metadata of ${packageName}`);
}

function isValid(parse: (text: string) => string, text: string): boolean {
  try {
    return parse(text) === text;
  } catch {
    return false;
  }
}
