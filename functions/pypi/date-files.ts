import { isJsonObject, type JsonObject } from "../../shared/domain/json.ts";
import type { DocumentOrigin, UpstreamQuestions } from "../../shared/services/views/listing.ts";
import { filesOn, readPage } from "./read-page.ts";
import { readSimpleFile, type SimpleFile } from "./simple-file.ts";
import { compareVersions } from "./versions.ts";

/** Files that are asked for their time, those of the highest versions. */
const MAX_ASKED = 100;
/** As many at a time. */
const AT_ONCE = 6;

/**
 * A project's page with the upload times that it does not give, as pages of HTML: the time of the file's last change
 * stands in for it. Files beyond the limit, and those whose server does not say, stay without.
 */
export async function dateFiles(
  body: Uint8Array,
  from: DocumentOrigin,
  ask: UpstreamQuestions,
): Promise<Uint8Array> {
  const page = readPage(body, from);
  const files = filesOn(page).filter(isJsonObject);
  const undated = files
    .map((file) => ({ file, read: readSimpleFile(file, from.packageName, from.url) }))
    .filter((one): one is { file: JsonObject; read: SimpleFile } => one.read?.uploadedAtMs === 0)
    .sort((a, b) => compareVersions(b.read.name.version, a.read.name.version))
    .slice(0, MAX_ASKED);
  if (undated.length === 0) return body;
  const dated = new Map<JsonObject, JsonObject>();
  for (let start = 0; start < undated.length; start += AT_ONCE) {
    const some = undated.slice(start, start + AT_ONCE);
    const times = await Promise.all(some.map(({ read }) => ask.changedAtMs(read.url)));
    for (const [position, { file }] of some.entries()) {
      const time = times[position] ?? 0;
      if (time > 0) dated.set(file, { ...file, "upload-time": new Date(time).toISOString() });
    }
  }
  const all = files.map((file) => dated.get(file) ?? file);
  return Buffer.from(JSON.stringify({ ...page, files: all }));
}
