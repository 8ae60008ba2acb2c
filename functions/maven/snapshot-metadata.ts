import { isAvailable } from "../../shared/domain/package.ts";
import { NotFoundError } from "../../shared/errors.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import { visibleThrough } from "../../shared/services/views/listing.ts";
import type { Leaf } from "../../shared/services/views/routes.ts";
import { folderPath, type Target } from "./layout.ts";
import { renderSnapshot } from "./render.ts";
import { buildTimeMs } from "./snapshots.ts";
import { METADATA_REQUEST, readSnapshotMetadata } from "./upstream-metadata.ts";
import { factsOf } from "./version-facts.ts";

type SnapshotTarget = Extract<Target, { kind: "snapshot-metadata" }>;

/**
 * `maven-metadata.xml` of a snapshot, from the first registry that has its version: builds of two registries are builds
 * of two projects.
 *
 * @throws {NotFoundError} when none has it, it names no builds, or its newest build is too young here.
 */
export async function findSnapshotMetadata(
  services: Services,
  grant: RegistryGrant,
  target: SnapshotTarget,
): Promise<Uint8Array> {
  const { packageName, version } = target;
  for (const { leaf, refusal } of await services.views.routes(grant.registry, packageName)) {
    if (refusal !== "") continue;
    const found =
      leaf.upstream === undefined
        ? await ofSource(services, grant.through(leaf.registry), target)
        : await ofUpstream(services, leaf, target);
    if (found !== undefined) return found;
  }
  throw new NotFoundError("version", version);
}

async function ofSource(
  { catalogue }: Services,
  grant: RegistryGrant,
  { packageName, version }: SnapshotTarget,
): Promise<Uint8Array | undefined> {
  const found = await catalogue.findAnyVersion(grant, packageName, version);
  if (found === undefined || !isAvailable(found)) return undefined;
  const text = renderSnapshot(packageName, version, factsOf(found.metadata));
  if (text === undefined) throw new NotFoundError("file", `${version}/maven-metadata.xml`);
  return Buffer.from(text);
}

async function ofUpstream(
  { stores, views }: Services,
  leaf: Leaf,
  { packageName, version }: SnapshotTarget,
): Promise<Uint8Array | undefined> {
  const body = await views.upstreamDocument(leaf, packageName, {
    name: `snapshot ${version}`,
    path: `${folderPath(packageName)}/${version}/maven-metadata.xml`,
    headers: METADATA_REQUEST,
    check: (document) => void readSnapshotMetadata(document, packageName),
  });
  if (body === undefined) return undefined;
  const build = readSnapshotMetadata(body, packageName);
  const builtAtMs = build === undefined ? 0 : buildTimeMs(build);
  if (visibleThrough(leaf.routings, packageName, builtAtMs) > stores.now()) {
    throw new NotFoundError("version", version);
  }
  return body;
}
