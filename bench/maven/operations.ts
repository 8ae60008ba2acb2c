import type { Ask, CountedRegistry } from "../counted-registry.ts";
import { measureKinds, type OperationCosts, type RequestKind } from "../operation-costs.ts";
import { artifactOf, deployOf, jarPath, metadataPath, type Upload } from "./fixtures.ts";

const ROOT = "/maven/libs";
const JAR_BYTES = 2000;

/** The requests of Maven, with an artifact of so many versions for those that must not grow with it. */
export async function measureOperations(
  turns: number,
  versions: number,
): Promise<readonly OperationCosts[]> {
  return measureKinds(turns, async (registry) => {
    await registry.create("libs", "maven");
    for (let at = 0; at < versions; at++) {
      await deploy(registry, deployOf(artifactOf(versions), `1.${at}`, JAR_BYTES));
    }
    return kinds(registry, versions);
  });
}

async function deploy(registry: CountedRegistry, uploads: readonly Upload[]): Promise<void> {
  for (const upload of uploads) await registry.ask(putOf(upload));
}

const putOf = ({ path, body }: Upload): Ask => ({ method: "PUT", path: `${ROOT}/${path}`, body });

function kinds(registry: CountedRegistry, versions: number): readonly RequestKind[] {
  const artifact = artifactOf(versions);
  const get = (path: string): RequestKind["ask"] => {
    const headers = { "accept-encoding": "gzip" };
    return () => ({ path: `${ROOT}/${path}`, headers });
  };
  const jar = jarPath(artifact, "1.0");
  /** The upload of a new deploy whose path ends so, after those that come before it. */
  const uploadOf =
    (nameOf: (turn: number) => readonly [string, string], end: string): RequestKind["ask"] =>
    async (turn) => {
      const uploads = deployOf(...nameOf(turn), JAR_BYTES);
      const at = uploads.findIndex(({ path }) => path.endsWith(end));
      await deploy(registry, uploads.slice(0, at));
      const [upload] = uploads.slice(at);
      if (upload === undefined) throw new Error(`a deploy has no ${end}`);
      return putOf(upload);
    };
  const fresh = (kind: string) => (turn: number) => [`${kind}-${turn}`, "1.0"] as const;
  return [
    { name: `metadata of ${versions}`, ask: get(metadataPath(artifact)) },
    { name: `sha1 of that metadata`, ask: get(`${metadataPath(artifact)}.sha1`) },
    { name: "metadata, not found", ask: get(metadataPath("none")) },
    { name: "jar, inline", ask: get(jar) },
    { name: "sha1 of a jar", ask: get(`${jar}.sha1`) },
    { name: "PUT of a POM, new artifact", ask: uploadOf(fresh("pom"), ".pom") },
    { name: "PUT of its jar, which completes it", ask: uploadOf(fresh("jar"), ".jar") },
    { name: "PUT of the jar's sha1", ask: uploadOf(fresh("sum"), ".jar.sha1") },
    { name: "PUT of metadata", ask: uploadOf(fresh("metadata"), "maven-metadata.xml") },
    {
      name: `PUT of a jar, new version of ${versions}`,
      ask: uploadOf((turn) => [artifact, `2.${turn}`], ".jar"),
    },
  ];
}
