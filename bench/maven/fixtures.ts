import { createHash, randomBytes } from "node:crypto";
import { rawRequest } from "../load/raw-request.ts";
import type { MavenServer } from "./servers.ts";

/** One PUT of a deploy. */
export interface Upload {
  /** Below the repository. */
  readonly path: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

const USER_AGENT = "Apache-Maven/3.9.9 (Java 17.0.15; Linux 6.1)";
const GROUP = "org.bench";
const FOLDER = "org/bench";

export const metadataPath = (artifact: string): string =>
  `${FOLDER}/${artifact}/maven-metadata.xml`;
export const jarPath = (artifact: string, version: string): string =>
  `${FOLDER}/${artifact}/${version}/${artifact}-${version}.jar`;
/** The artifact that has so many versions. */
export const artifactOf = (versions: number): string => `versions-${versions}`;
/** The artifact whose jar has so many bytes. */
export const sizedArtifact = (bytes: number): string => `bytes-${bytes}`;

/** What Maven 3.9 sends to deploy a jar, in its order: files, then metadata, each with its checksums behind it. */
export function deployOf(artifact: string, version: string, jarBytes: number): readonly Upload[] {
  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>${GROUP}</groupId><artifactId>${artifact}</artifactId><version>${version}</version><licenses><license><name>Apache-2.0</name></license></licenses></project>`;
  const metadata = `<metadata><groupId>${GROUP}</groupId><artifactId>${artifact}</artifactId><versioning><release>${version}</release><versions><version>${version}</version></versions></versioning></metadata>`;
  const jar = jarPath(artifact, version);
  return [
    ...withSums(jar.replace(/jar$/, "pom"), Buffer.from(pom)),
    ...withSums(jar, randomBytes(jarBytes)),
    ...withSums(metadataPath(artifact), Buffer.from(metadata)),
  ];
}

function withSums(path: string, body: Uint8Array<ArrayBuffer>): readonly Upload[] {
  const sums = ["sha1", "md5"].map((name) => ({
    path: `${path}.${name}`,
    body: Buffer.from(createHash(name).update(body).digest("hex")),
  }));
  return [{ path, body }, ...sums];
}

/** Publishes what the loads read: artifacts of so many versions, and jars of so many bytes. */
export async function seed(
  server: MavenServer,
  versions: readonly number[],
  jarBytes: readonly number[],
): Promise<void> {
  for (const count of versions) {
    for (let at = 0; at < count; at++)
      await send(server, deployOf(artifactOf(count), `1.${at}`, 100));
  }
  for (const bytes of jarBytes) await send(server, deployOf(sizedArtifact(bytes), "1.0", bytes));
  if (server.name !== "nginx") return;
  // A client would send what it merged; a folder has the last one's, which names one version.
  for (const count of versions) {
    const list = Array.from({ length: count }, (_, at) => `      <version>1.${at}</version>\n`);
    const text = `<metadata>\n  <versioning>\n    <versions>\n${list.join("")}    </versions>\n  </versioning>\n</metadata>\n`;
    await send(server, [{ path: metadataPath(artifactOf(count)), body: Buffer.from(text) }]);
  }
}

async function send(server: MavenServer, uploads: readonly Upload[]): Promise<void> {
  for (const { path, body } of uploads) {
    const url = `http://127.0.0.1:${server.port}${server.base}${path}`;
    const answer = await fetch(url, { method: "PUT", headers: server.headers, body });
    if (!answer.ok) throw new Error(`${server.name}: PUT ${path} answered ${answer.status}`);
  }
}

/** As bytes on the wire. */
export function getOf({ port, base, headers }: MavenServer, path: string): Uint8Array {
  const all = { "User-Agent": USER_AGENT, "Accept-Encoding": "gzip", ...headers };
  return rawRequest(port, { method: "GET", path: base + path, headers: all });
}

/** As bytes on the wire. */
export function putOf({ port, base, headers }: MavenServer, { path, body }: Upload): Uint8Array {
  const all = { "User-Agent": USER_AGENT, ...headers };
  return rawRequest(port, { method: "PUT", path: base + path, headers: all, body });
}
