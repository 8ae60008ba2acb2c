import { createHash } from "node:crypto";
import type { TestRegistry } from "../../support/services.ts";

export const REGISTRY = "libs";
export const ROOT = `/maven/${REGISTRY}`;

export const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

/** `more` goes into the project element. */
export function pom(artifact: string, version: string, more = ""): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.example</groupId>
  <artifactId>${artifact}</artifactId>
  <version>${version}</version>
  ${more}
</project>`;
}

export function put(
  registry: TestRegistry,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return registry.request(`${ROOT}/${path}`, { method: "PUT", body, headers });
}

export async function textOf(registry: TestRegistry, path: string): Promise<string> {
  const response = await registry.request(`${ROOT}/${path}`);
  return response.status === 200 ? response.text() : `${response.status}`;
}

/** POM and jar of `org.example:<artifact>`. */
export async function deploy(
  registry: TestRegistry,
  artifact: string,
  version: string,
  more = "",
): Promise<void> {
  const folder = `org/example/${artifact}/${version}/${artifact}-${version}`;
  await put(registry, `${folder}.pom`, pom(artifact, version, more));
  await put(registry, `${folder}.jar`, `${artifact} ${version}`);
}

/** One build of a snapshot; `stamp` is `yyyyMMdd.HHmmss-n`. */
export async function deployBuild(
  registry: TestRegistry,
  artifact: string,
  base: string,
  stamp: string,
): Promise<void> {
  const folder = `org/example/${artifact}/${base}-SNAPSHOT`;
  const name = `${folder}/${artifact}-${base}-${stamp}`;
  await put(registry, `${name}.pom`, pom(artifact, `${base}-SNAPSHOT`));
  await put(registry, `${name}.jar`, `build ${stamp}`);
  const metadata = `<metadata><groupId>org.example</groupId><artifactId>${artifact}</artifactId><version>${base}-SNAPSHOT</version></metadata>`;
  await put(registry, `${folder}/maven-metadata.xml`, metadata);
}

/** The texts of an element, in order. */
export const elements = (xml: string, name: string): readonly string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, text = ""]) => text);
