import { createHash } from "node:crypto";
import { answer, type MisbehavingUpstream } from "../../support/misbehaving-upstream.ts";
import { buildTarball } from "../../support/npm-package.ts";

export interface UpstreamVersion {
  readonly version: string;
  readonly tarball: Buffer;
  /** Default: a year ago. */
  readonly publishedAt?: Date;
  readonly manifest?: Readonly<Record<string, unknown>>;
}

const LONG_AGO = new Date(Date.now() - 365 * 86_400_000);

export async function upstreamVersion(
  name: string,
  version: string,
  more: Partial<UpstreamVersion> & { readonly files?: Readonly<Record<string, string>> } = {},
): Promise<UpstreamVersion> {
  const { files = {}, ...rest } = more;
  return { version, tarball: await buildTarball({ name, version, files }), ...rest };
}

/** The packument that an upstream has of a package. */
export function packumentOf(
  upstream: MisbehavingUpstream,
  name: string,
  versions: readonly UpstreamVersion[],
  tags: Readonly<Record<string, string>> = { latest: versions.at(-1)?.version ?? "" },
): string {
  return JSON.stringify({
    _id: name,
    _rev: "7-abc",
    name,
    description: `About ${name}`,
    "dist-tags": tags,
    versions: Object.fromEntries(
      versions.map(({ version, tarball, manifest = {} }) => [
        version,
        {
          name,
          version,
          ...manifest,
          dist: {
            tarball: upstream.url + tarballPath(name, version),
            integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
            shasum: createHash("sha1").update(tarball).digest("hex"),
            signatures: [{ keyid: "SHA256:upstream", sig: "c2ln" }],
          },
        },
      ]),
    ),
    time: {
      created: LONG_AGO.toISOString(),
      modified: LONG_AGO.toISOString(),
      ...Object.fromEntries(
        versions.map(({ version, publishedAt = LONG_AGO }) => [version, publishedAt.toISOString()]),
      ),
    },
  });
}

export const packumentPath = (name: string): string => `/${name.replace("/", "%2f")}`;

export const tarballPath = (name: string, version: string): string =>
  `/${name}/-/${name.replace(/^@.*\//, "")}-${version}.tgz`;

/** Serves a package as the public registry does: with validators, and files that stay. */
export function servePackage(
  upstream: MisbehavingUpstream,
  name: string,
  versions: readonly UpstreamVersion[],
  tags?: Readonly<Record<string, string>>,
): void {
  const packument = packumentOf(upstream, name, versions, tags);
  const etag = `"${createHash("sha1").update(packument).digest("hex")}"`;
  upstream.on(
    packumentPath(name),
    answer(packument, { headers: { "content-type": "application/json", etag } }),
  );
  for (const { version, tarball } of versions) {
    upstream.on(tarballPath(name, version), answer(tarball));
  }
}
