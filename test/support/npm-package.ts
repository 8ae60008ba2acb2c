import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import * as z from "zod";

export interface PackageOptions {
  readonly name: string;
  readonly version: string;
  /** Further fields of package.json. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Further files by path below `package/`. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The bytes of a package as `npm pack` makes them. */
export async function buildTarball(options: PackageOptions): Promise<Buffer> {
  const { name, version, manifest = {}, files = {} } = options;
  const archive = pack();
  archive.entry({ name: "package/package.json" }, JSON.stringify({ name, version, ...manifest }));
  for (const [path, content] of Object.entries(files)) {
    archive.entry({ name: `package/${path}` }, content);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  }
  return gzipSync(Buffer.concat(chunks));
}

/** The body that `npm publish` sends for a tarball. */
export function publishBody(
  options: PackageOptions & { readonly tag?: string },
  tarball: Buffer,
): Record<string, unknown> {
  const { name, version, manifest = {}, tag = "latest" } = options;
  const file = `${name}-${version}.tgz`;
  return {
    _id: name,
    name,
    "dist-tags": { [tag]: version },
    versions: {
      [version]: {
        name,
        version,
        ...manifest,
        _id: `${name}@${version}`,
        dist: {
          integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
          shasum: createHash("sha1").update(tarball).digest("hex"),
          tarball: `http://localhost/${name}/-/${file}`,
        },
      },
    },
    access: null,
    _attachments: {
      [file]: {
        content_type: "application/octet-stream",
        data: tarball.toString("base64"),
        length: tarball.length,
      },
    },
  };
}

/** Path of a package in a registry, as npm encodes it. */
export const packagePath = (registry: string, name: string): string =>
  `/npm/${registry}/${name.replace("/", "%2f")}`;

const packumentSchema = z.object({
  versions: z.record(
    z.string(),
    z.looseObject({ dist: z.looseObject({ tarball: z.string(), integrity: z.string() }) }),
  ),
  time: z.record(z.string(), z.string()),
  "dist-tags": z.record(z.string(), z.string()),
});

/** What tests look at in a packument. */
export async function readPackument(response: Response): Promise<z.infer<typeof packumentSchema>> {
  return packumentSchema.parse(await response.json());
}
