import { createHash } from "node:crypto";
import {
  answer,
  type Behaviour,
  type MisbehavingUpstream,
} from "../../support/misbehaving-upstream.ts";

export const sum = (algorithm: string, bytes: string | Uint8Array): string =>
  createHash(algorithm).update(bytes).digest("hex");

interface Served {
  /** Which sums are beside it. Default: SHA-1. */
  readonly sums?: readonly ("md5" | "sha1" | "sha256")[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of a good answer; sums stay those of `body`. */
  readonly behaviour?: Behaviour;
}

/** A file of a repository with its sums beside it. */
export function serveFile(
  upstream: MisbehavingUpstream,
  path: string,
  body: string | Uint8Array,
  { sums = ["sha1"], headers = {}, behaviour }: Served = {},
): void {
  upstream.on(path, behaviour ?? answer(body, { headers }));
  for (const algorithm of sums) {
    upstream.on(`${path}.${algorithm}`, answer(sum(algorithm, body)));
  }
}

/** `maven-metadata.xml` as repositories have it. */
export function metadataOf(
  group: string,
  artifact: string,
  versions: readonly string[],
  lastUpdated = "20260101000000",
): string {
  const list = versions.map((version) => `<version>${version}</version>`).join("");
  return `<?xml version="1.0" encoding="UTF-8"?><metadata><groupId>${group}</groupId><artifactId>${artifact}</artifactId><versioning><versions>${list}</versions><lastUpdated>${lastUpdated}</lastUpdated></versioning></metadata>`;
}

/** Metadata, POMs and jars of versions of `org.example:<artifact>`. */
export function serveArtifact(
  upstream: MisbehavingUpstream,
  artifact: string,
  versions: readonly string[],
  served: Served = {},
): void {
  const folder = `/org/example/${artifact}`;
  upstream.on(
    `${folder}/maven-metadata.xml`,
    answer(metadataOf("org.example", artifact, versions), { headers: { etag: '"1"' } }),
  );
  for (const version of versions) {
    const name = `${folder}/${version}/${artifact}-${version}`;
    serveFile(upstream, `${name}.pom`, `<project><version>${version}</version></project>`, served);
    serveFile(upstream, `${name}.jar`, `PK ${artifact} ${version} upstream`, served);
  }
}
