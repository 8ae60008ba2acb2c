import { answer, type MisbehavingUpstream } from "../../support/misbehaving-upstream.ts";
import { buildWheel, type Distribution, sha256Of } from "../../support/python-package.ts";
import { type Json, JSON_TYPE } from "./pypi-registry.ts";

/** A file that an index has, with what its page says of it by the keys of PEP 691. */
export interface IndexedFile extends Distribution {
  readonly keys: Readonly<Record<string, unknown>>;
}

export const jsonOf = (response: Response): Promise<Json> => response.json();

export const LONG_AGO = new Date(Date.now() - 365 * 86_400_000).toISOString();

/** A wheel of an index, uploaded a year ago unless `keys` say something else. */
export function indexedWheel(
  name: string,
  version: string,
  keys: IndexedFile["keys"] = {},
  tags?: string,
): IndexedFile {
  const wheel = buildWheel({ name, version, files: { "demo.py": version } }, tags);
  return {
    ...wheel,
    keys: {
      hashes: { sha256: sha256Of(wheel.bytes) },
      size: wheel.bytes.length,
      "upload-time": LONG_AGO,
      ...keys,
    },
  };
}

export const pagePath = (project: string): string => `/simple/${project}/`;
export const filePath = ({ fileName }: Distribution): string => `/packages/ab/${fileName}`;

/** The page of a project as PEP 691 has it. */
export function jsonPage(
  upstream: MisbehavingUpstream,
  project: string,
  files: readonly IndexedFile[],
  more: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify({
    meta: { "api-version": "1.4", "_last-serial": 7 },
    name: project,
    files: files.map((file) => ({
      filename: file.fileName,
      url: upstream.url + filePath(file),
      ...file.keys,
    })),
    ...more,
  });
}

/** Serves a project as the public index does: its page in JSON, with an ETag, and its files. */
export function serveProject(
  upstream: MisbehavingUpstream,
  project: string,
  files: readonly IndexedFile[],
  more?: Readonly<Record<string, unknown>>,
): void {
  const page = jsonPage(upstream, project, files, more);
  const etag = `"${sha256Of(Buffer.from(page)).slice(0, 20)}"`;
  upstream.on(pagePath(project), answer(page, { headers: { "content-type": JSON_TYPE, etag } }));
  for (const file of files) upstream.on(filePath(file), answer(file.bytes));
}

/** Serves a page of HTML. */
export function serveHtml(upstream: MisbehavingUpstream, project: string, html: string): void {
  upstream.on(
    pagePath(project),
    answer(html, { headers: { "content-type": "text/html; charset=utf-8" } }),
  );
}
