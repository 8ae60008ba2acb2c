import { createHash } from "node:crypto";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { bodyBytes } from "../../shared/http/body-bytes.ts";

export interface ProjectOptions {
  readonly name: string;
  readonly version: string;
  /** Further lines of the metadata, such as `Requires-Dist: six`. */
  readonly metadata?: readonly string[];
  readonly description?: string;
  /** Further files by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A file that can be uploaded. */
export interface Distribution {
  readonly fileName: string;
  readonly bytes: Buffer;
}

export interface ZipEntry {
  readonly name: string;
  readonly content: string | Buffer;
  /** What the central directory says instead. */
  readonly listed?: Partial<{
    readonly name: string;
    readonly sizeBytes: number;
    readonly offset: number;
  }>;
  readonly flags?: number;
  /** Not in the central directory. */
  readonly isHidden?: boolean;
}

/** Name of a project as it stands in file names. */
const fileNamePart = (text: string): string => text.replace(/[-_.]+/g, "_").toLowerCase();

/** The METADATA or PKG-INFO of a project. */
export function metadataText({
  name,
  version,
  metadata = [],
  description,
}: ProjectOptions): string {
  const lines = ["Metadata-Version: 2.4", `Name: ${name}`, `Version: ${version}`, ...metadata];
  return `${lines.join("\n")}\n${description === undefined ? "" : `\n${description}`}`;
}

/** A wheel as build tools make it; `tags` default to those of pure Python. */
export function buildWheel(options: ProjectOptions, tags = "py3-none-any"): Distribution {
  const stem = `${fileNamePart(options.name)}-${options.version}`;
  return {
    fileName: `${stem}-${tags}.whl`,
    bytes: buildZip(wheelEntries(options)),
  };
}

/** What {@link buildWheel} puts into the archive. */
export function wheelEntries(options: ProjectOptions): readonly ZipEntry[] {
  const info = `${fileNamePart(options.name)}-${options.version}.dist-info`;
  const files = Object.entries(options.files ?? { "demo/__init__.py": "" });
  return [
    ...files.map(([name, content]) => ({ name, content })),
    { name: `${info}/METADATA`, content: metadataText(options) },
    { name: `${info}/WHEEL`, content: "Wheel-Version: 1.0\nTag: py3-none-any\n" },
    { name: `${info}/RECORD`, content: "" },
  ];
}

/** An sdist as build tools make it. */
export async function buildSdist(options: ProjectOptions): Promise<Distribution> {
  const stem = `${fileNamePart(options.name)}-${options.version}`;
  const files = Object.entries(options.files ?? { "pyproject.toml": "" });
  return {
    fileName: `${stem}.tar.gz`,
    bytes: await buildTarGz([
      { name: `${stem}/PKG-INFO`, content: metadataText(options) },
      ...files.map(([name, content]) => ({ name: `${stem}/${name}`, content })),
    ]),
  };
}

/** A gzipped tar archive of exactly these entries. */
export async function buildTarGz(
  entries: readonly (Partial<Header> & { readonly name: string; readonly content?: string })[],
): Promise<Buffer> {
  const archive = pack();
  for (const { content, ...header } of entries) archive.entry(header, content ?? "");
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  }
  return gzipSync(Buffer.concat(chunks));
}

/** A zip file of exactly these entries, wrong where they say so. */
export function buildZip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, listed = {}, flags = 0, isHidden = false } of entries) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const sizes = [crc32(bytes), packed.length, bytes.length] as const;
    const local = Buffer.concat([localHeader(name, flags, sizes), Buffer.from(name), packed]);
    locals.push(local);
    if (!isHidden) {
      const listedName = listed.name ?? name;
      const listedSizes = [sizes[0], sizes[1], listed.sizeBytes ?? sizes[2]] as const;
      directory.push(
        centralHeader(listedName, flags, listedSizes, listed.offset ?? offset),
        Buffer.from(listedName),
      );
    }
    offset += local.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([...locals, ...directory, endRecord(directory.length / 2, size, offset)]);
}

type Sizes = readonly [crc: number, packed: number, unpacked: number];

function localHeader(name: string, flags: number, sizes: Sizes): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(8, 8);
  sizes.forEach((value, position) => header.writeUInt32LE(value, 14 + 4 * position));
  header.writeUInt16LE(Buffer.byteLength(name), 26);
  return header;
}

function centralHeader(name: string, flags: number, sizes: Sizes, offset: number): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(8, 10);
  sizes.forEach((value, position) => header.writeUInt32LE(value, 16 + 4 * position));
  header.writeUInt16LE(Buffer.byteLength(name), 28);
  header.writeUInt32LE(offset, 42);
  return header;
}

function endRecord(count: number, size: number, offset: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(offset, 16);
  return record;
}

export const sha256Of = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");

/** The form that twine sends; `fields` come in the place of its own, and absent ones go with `null`. */
export function uploadForm(
  { name, version }: ProjectOptions,
  { fileName, bytes }: Distribution,
  fields: Readonly<Record<string, string | null>> = {},
): FormData {
  const form = new FormData();
  const all: Readonly<Record<string, string | null>> = {
    ":action": "file_upload",
    protocol_version: "1",
    name,
    version,
    filetype: fileName.endsWith(".whl") ? "bdist_wheel" : "sdist",
    metadata_version: "2.4",
    md5_digest: createHash("md5").update(bytes).digest("hex"),
    sha256_digest: sha256Of(bytes),
    ...fields,
  };
  for (const [field, value] of Object.entries(all)) {
    if (value !== null) form.append(field, value);
  }
  form.append("content", new Blob([bodyBytes(bytes)]), fileName);
  return form;
}
