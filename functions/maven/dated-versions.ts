import * as z from "zod";
import type { UpstreamQuestions } from "../../shared/services/views/listing.ts";
import { coordinatesOf, folderPath } from "./layout.ts";
import type { ArtifactMetadata } from "./upstream-metadata.ts";
import { sortVersions } from "./versions.ts";

/** Versions whose POM is asked for its time, the highest; of the others the files say it when they are fetched. */
const MAX_ASKED = 30;
/** As many at a time. */
const AT_ONCE = 6;

const schema = z.strictObject({
  lastUpdated: z.string(),
  /** Unix milliseconds, 0 when not known. */
  versions: z.array(z.tuple([z.string(), z.number()])),
});

/** An artifact's versions with the times that its metadata does not have. */
export type DatedVersions = z.output<typeof schema>;

/** How a proxy with a minimum age keeps what it asked for, in place of the metadata. */
export const writeDated = (dated: DatedVersions): Uint8Array => Buffer.from(JSON.stringify(dated));

/** `undefined` for what {@link writeDated} did not write. */
export function readDated(body: Uint8Array): DatedVersions | undefined {
  if (body[0] !== "{".codePointAt(0)) return undefined;
  try {
    return schema.safeParse(JSON.parse(Buffer.from(body).toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

/**
 * When each version was published: as the folder's listing says, if the repository has one, or else by the time of its
 * POM.
 */
export async function dateVersions(
  packageName: string,
  { versions, lastUpdated }: ArtifactMetadata,
  ask: UpstreamQuestions,
): Promise<DatedVersions> {
  const page = await ask.text(`${folderPath(packageName)}/`);
  const times = page === undefined ? new Map<string, number>() : timesIn(page);
  const unknown = sortVersions(versions.filter((version) => !times.has(version)));
  const asked = unknown.slice(-MAX_ASKED);
  for (let start = 0; start < asked.length; start += AT_ONCE) {
    const some = asked.slice(start, start + AT_ONCE);
    const found = await Promise.all(
      some.map((version) => ask.changedAtMs(pomPath(packageName, version))),
    );
    for (const [position, version] of some.entries()) times.set(version, found[position] ?? 0);
  }
  return { lastUpdated, versions: versions.map((version) => [version, times.get(version) ?? 0]) };
}

function pomPath(packageName: string, version: string): string {
  const { artifact } = coordinatesOf(packageName);
  return `${folderPath(packageName)}/${version}/${artifact}-${version}.pom`;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/** `<a href="1.0/">1.0/</a>  2021-02-13 16:31`, and `13-Feb-2021 16:31` of other servers; cells of tables count as space. */
const ROW =
  /<a\s[^>]{0,400}?href="([^"/]{1,200})\/"[^>]{0,400}>[^<]{0,200}<\/a>(?:\s|&nbsp;|<\/?t[dhr][^>]{0,200}>){0,60}(?:(\d{4})-(\d\d)-(\d\d)|(\d\d)-([A-Z][a-z]{2})-(\d{4})) (\d\d):(\d\d)/g;

/** Times of folders on a page that a web server made of a folder, taken as UTC. */
function timesIn(page: string): Map<string, number> {
  const times = new Map<string, number>();
  for (const row of page.matchAll(ROW)) {
    const [, href = "", year, month, day, day2, name = "", year2, hours, minutes] = row;
    const position = month === undefined ? MONTHS.indexOf(name.toLowerCase()) : Number(month) - 1;
    const ms = Date.UTC(
      Number(year ?? year2),
      position,
      Number(day ?? day2),
      Number(hours),
      Number(minutes),
    );
    if (position >= 0 && !Number.isNaN(ms)) times.set(decoded(href), ms);
  }
  return times;
}

function decoded(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}
