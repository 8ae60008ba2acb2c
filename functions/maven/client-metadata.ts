import * as z from "zod";
import { InvalidInputError } from "../../shared/errors.ts";
import { coordinatesOf, type Target } from "./layout.ts";
import { entriesOf, parseXml } from "./xml.ts";
import { unescapeXml } from "./xml-text.ts";

/** 20,000 versions fit. */
export const MAX_METADATA_BYTES = 2 * 1024 * 1024;
const MAX_PLUGINS = 200;

const plugin = z.object({
  name: z.string().max(200).default(""),
  prefix: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/),
  artifactId: z.string().max(200),
});
export type ClientPlugin = z.output<typeof plugin>;

const versioning = z.looseObject({
  latest: z.unknown().optional(),
  release: z.unknown().optional(),
  versions: z.unknown().optional(),
});
const metadata = z.looseObject({
  groupId: z.unknown().optional(),
  artifactId: z.unknown().optional(),
  versioning: z.unknown().optional(),
  plugins: z.unknown().optional(),
});

/** The parts of a client's maven-metadata.xml that tell us something; everything else we know better. */
export interface ClientMetadata {
  /** Versions that it may just have deployed: latest, release, and the last in its list. */
  readonly deployed: readonly string[];
  readonly plugins: readonly ClientPlugin[];
}

/**
 * Reads what a client merged from the metadata it saw and what it deployed.
 *
 * @throws {InvalidInputError} when it is no metadata, or that of something else.
 */
export function readClientMetadata(
  bytes: Uint8Array,
  target: Extract<Target, { kind: "metadata" | "snapshot-metadata" }>,
): ClientMetadata {
  const root = z
    .object({ metadata: z.unknown().optional() })
    .safeParse(parseXml(bytes, "maven-metadata.xml"));
  // An element without content is empty text.
  const content = root.success && root.data.metadata === "" ? {} : root.data?.metadata;
  const parsed = metadata.safeParse(content);
  if (!parsed.success) throw invalid("maven-metadata.xml has no <metadata> in it");
  const { groupId, artifactId, plugins } = parsed.data;
  requireSame(target, groupId, artifactId);
  return { deployed: deployedIn(parsed.data.versioning), plugins: pluginsIn(plugins) };
}

function requireSame(
  { kind, packageName = "", ...rest }: Extract<Target, { kind: "metadata" | "snapshot-metadata" }>,
  groupId: unknown,
  artifactId: unknown,
): void {
  if (typeof artifactId !== "string" || typeof groupId !== "string") {
    // A group's names neither, or only its group.
    if (
      kind === "metadata" &&
      (typeof groupId !== "string" || ("group" in rest && groupId === rest.group))
    )
      return;
    throw invalid(
      "maven-metadata.xml does not say whose it is: groupId and artifactId are missing",
    );
  }
  if (packageName !== "") {
    const { group, artifact } = coordinatesOf(packageName);
    if (groupId === group && artifactId === artifact) return;
  }
  throw invalid(
    `maven-metadata.xml is that of ${`${groupId}:${artifactId}`.slice(0, 200)}, which is not what its path says`,
  );
}

function deployedIn(value: unknown): readonly string[] {
  const parsed = versioning.safeParse(value);
  if (!parsed.success) return [];
  const { latest, release, versions } = parsed.data;
  const listed = entriesOf(versions, "version").at(-1);
  const texts = [latest, release, listed].filter((text) => typeof text === "string");
  return [...new Set(texts)].filter((text) => text !== "");
}

function pluginsIn(value: unknown): readonly ClientPlugin[] {
  const entries = entriesOf(value, "plugin");
  if (entries.length > MAX_PLUGINS) {
    throw invalid(`maven-metadata.xml names more than ${MAX_PLUGINS} plugins`);
  }
  return entries.flatMap((entry) => {
    const parsed = plugin.safeParse(entry);
    return parsed.success ? [{ ...parsed.data, name: unescapeXml(parsed.data.name) }] : [];
  });
}

const invalid = (message: string): InvalidInputError =>
  new InvalidInputError(`${message}.`, [{ at: "body", problem: "not this metadata" }]);
