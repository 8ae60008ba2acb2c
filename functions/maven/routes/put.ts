import type { Context } from "hono";
import {
  ConflictError,
  ChecksumMismatchError,
  InvalidInputError,
  TooLargeError,
} from "../../../shared/errors.ts";
import {
  type DigestAlgorithm,
  FILE_DIGESTS,
  digestIn,
  requireDigests,
} from "../../../shared/domain/digest.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { checksumsOf } from "../../../shared/http/checksums.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { Services } from "../../../shared/services/services.ts";
import { collect } from "../../../shared/services/streams.ts";
import { MAX_METADATA_BYTES, readClientMetadata } from "../client-metadata.ts";
import { contentTypeOf } from "../content-types.ts";
import { completeVersion, deployFile } from "../deploy.ts";
import type { Target } from "../layout.ts";
import { isOfNextBuild } from "../place.ts";
import { registerPlugins } from "../plugins.ts";
import { MAX_POM_BYTES, type PomFacts, readPom } from "../pom.ts";
import { pruneSnapshot } from "../retention.ts";
import { parseArtifactName } from "../snapshots.ts";
import { parseTarget } from "../target.ts";

type FileTarget = Extract<Target, { kind: "file" }>;
type MetadataTarget = Extract<Target, { kind: "metadata" | "snapshot-metadata" }>;

const MAX_CHECKSUM_BYTES = 4096;

/** PUT of whatever a build tool deploys. The right to do it is asked for before the body is read. */
export async function put(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { registry, target, checksum } = parseTarget(c);
  requireWhole(c);
  const packageName = "packageName" in target ? target.packageName : undefined;
  const isShared = target.kind === "metadata";
  const grant = await services.access.open(
    c.get("caller"),
    registry,
    "maven",
    "packages:write",
    // The path of a group's metadata reads as a package too, which is asked for when something is changed.
    isShared ? undefined : packageName,
  );
  if (checksum !== undefined) return putChecksum(c, services, grant, target, checksum);
  if (target.kind === "file") return putArtifact(c, services, grant, target);
  if (target.kind === "folder") throw invalid("The path ends with a slash; name one file.");
  if (target.kind === "archetypes") {
    throw invalid("archetype-catalog.xml is made by the registry from the archetypes in it.");
  }
  return putMetadata(c, services, grant, target);
}

async function putArtifact(
  c: Context<AppEnv>,
  services: Services,
  grant: RegistryGrant,
  target: FileTarget,
): Promise<Response> {
  const { maxFileBytes } = grant.registry.policies;
  const announced = Number(c.req.header("content-length") ?? "0");
  if (announced > maxFileBytes) throw tooLarge(target.path, maxFileBytes);
  const pomBytes = isPom(target)
    ? await readBody(c, "The POM", Math.min(MAX_POM_BYTES, maxFileBytes))
    : undefined;
  const pom: PomFacts | undefined =
    pomBytes === undefined ? undefined : readPom(pomBytes, target.packageName, target.version);
  const blob = await services.stores.blobs.put(pomBytes ?? c.req.raw.body ?? new Uint8Array(), {
    algorithms: FILE_DIGESTS,
    expected: checksumsOf(c.req.raw.headers),
    maxSizeBytes: maxFileBytes,
  });
  const file = {
    path: target.path,
    sizeBytes: blob.sizeBytes,
    digests: requireDigests(blob.digests),
    contentType: contentTypeOf(target.path),
  };
  const { packageName, version } = target;
  const deployed = { packageName, version, file, pom };
  const { outcome, path } = await deployFile(services, grant, deployed);
  return new Response(null, {
    status: outcome === "created" ? 201 : 200,
    headers: {
      etag: `"${file.digests.sha256}"`,
      ...(path === target.path ? {} : { location: path }),
    },
  });
}

/** Whether the file is the POM of its version. */
export function isPom({ packageName, version, path }: Omit<FileTarget, "kind">): boolean {
  const name = parseArtifactName(packageName, version, path);
  return name?.extension === "pom" && name.classifier === "";
}

/** Sums are made by us; one that is sent must be the same. */
async function putChecksum(
  c: Context<AppEnv>,
  services: Services,
  grant: RegistryGrant,
  target: Target,
  algorithm: DigestAlgorithm,
): Promise<Response> {
  const text = Buffer.from(await readBody(c, "The checksum", MAX_CHECKSUM_BYTES)).toString(
    "latin1",
  );
  const sent = digestIn(text, algorithm);
  if (sent === undefined) throw invalid(`The body is not a ${algorithm} in hexadecimal.`);
  // What we merge is other text than what the client made its sum of.
  if (target.kind !== "file") return new Response(null, { status: 201 });
  const { packageName, version, path } = target;
  const file = await services.catalogue.findFile(grant, packageName, version, path);
  if (file === undefined) {
    throw new ConflictError(`There is no ${path} yet; upload it before its checksums.`);
  }
  if (
    file.digests[algorithm] !== sent &&
    !(await isOfNextBuild(services, grant, file, [algorithm, sent]))
  ) {
    throw new ChecksumMismatchError(
      `The ${algorithm} of ${path} is ${file.digests[algorithm]}, not ${sent}: the upload was damaged, or another file was published here. Deploy it again.`,
    );
  }
  return new Response(null, { status: 201 });
}

async function putMetadata(
  c: Context<AppEnv>,
  services: Services,
  grant: RegistryGrant,
  target: MetadataTarget,
): Promise<Response> {
  const bytes = await readBody(c, "maven-metadata.xml", MAX_METADATA_BYTES);
  const { deployed, plugins } = readClientMetadata(bytes, target);
  if (target.kind === "snapshot-metadata") {
    await completeVersion(services, grant, target.packageName, target.version);
    await pruneSnapshot(services, grant, target.packageName, target.version);
  } else {
    if (target.packageName !== undefined) {
      for (const version of deployed) {
        await completeVersion(services, grant, target.packageName, version);
      }
    }
    await registerPlugins(services, grant, target.group, plugins);
  }
  return new Response(null, { status: 201 });
}

function requireWhole(c: Context<AppEnv>): void {
  if ((c.req.header("content-encoding") ?? "identity") !== "identity") {
    throw invalid(
      "Send the file itself, without Content-Encoding: what is stored is what was sent.",
    );
  }
  // RFC 9110, 14.5: a server that would store the part as the whole must refuse it.
  if (c.req.header("content-range") !== undefined) {
    throw invalid("Parts of files cannot be sent with Content-Range; send the whole file.");
  }
}

async function readBody(c: Context<AppEnv>, what: string, limit: number): Promise<Uint8Array> {
  const { body } = c.req.raw;
  if (body === null) return new Uint8Array();
  try {
    return await collect(body, limit);
  } catch (error) {
    if (error instanceof RangeError) throw new TooLargeError(what, limit);
    throw error;
  }
}

const tooLarge = (path: string, limitBytes: number): TooLargeError =>
  new TooLargeError(
    `"${path.slice(0, 200)}"`,
    limitBytes,
    "Ask an administrator to raise maxFileBytes in the registry's policies.",
  );

const invalid = (message: string): InvalidInputError =>
  new InvalidInputError(message, [{ at: "request", problem: "not accepted" }]);
