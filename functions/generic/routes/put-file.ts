import type { Context } from "hono";
import {
  InvalidInputError,
  PreconditionFailedError,
  TooLargeError,
  VersionExistsError,
} from "../../../shared/errors.ts";
import { type Digests, FILE_DIGESTS, requireDigests } from "../../../shared/domain/digest.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { NewFile } from "../../../shared/services/new-version.ts";
import type { Services } from "../../../shared/services/services.ts";
import { checksumsOf } from "../../../shared/http/checksums.ts";
import { contentTypeFor } from "../content-types.ts";
import { renderFile } from "../render.ts";
import { refuseConditions } from "../conditions.ts";
import { parseFileTarget, type Target } from "../target.ts";
import { urlPath } from "../urls.ts";

/** What the headers of an upload say, all of it checked before its first byte is read. */
interface Upload {
  readonly target: Target;
  readonly expected: Partial<Digests>;
  /** Absent for a body of unknown length (`Transfer-Encoding: chunked`). */
  readonly sizeBytes: number | undefined;
  readonly onlyIfAbsent: boolean;
}

/** A smaller body is sent sooner than the table is asked. */
const WORTH_A_LOOK_BYTES = 1024 * 1024;

/** PUT of one file: 201 when it is new, 200 when the same bytes were there or others were replaced. */
export async function putFile(c: Context<AppEnv>, services: Services): Promise<Response> {
  const caller = c.get("caller");
  const upload = parseUpload(c);
  const { registry, packageName, version, path } = upload.target;
  const grant = await services.access.open(
    caller,
    registry,
    "generic",
    "packages:write",
    packageName,
  );
  await refuseEarly(services, grant, upload);
  const file = await storeBytes(c, services, grant, upload);
  const outcome = await services.publisher.publishFile(
    grant,
    packageName,
    version,
    file,
    upload.onlyIfAbsent ? "absent" : "none",
  );
  const headers = {
    etag: `"${file.digests.sha256}"`,
    // Relative: behind a proxy only the client knows the name by which it came.
    location: urlPath([registry, packageName, version, path], "file"),
  };
  const body = renderFile(registry, { packageName, version, ...file }, caller.baseUrl);
  return c.json(body, outcome === "created" ? 201 : 200, headers);
}

function parseUpload(c: Context<AppEnv>): Upload {
  refuseConditions(c);
  const target = parseFileTarget(c);
  const coding = c.req.header("content-encoding") ?? "identity";
  if (coding !== "identity") {
    throw new InvalidInputError(
      "Send the file itself, without Content-Encoding: what is stored is what was sent.",
      [{ at: "content-encoding", problem: "not accepted" }],
    );
  }
  // RFC 9110, 14.5: a server that would store the part as the whole must refuse it.
  if (c.req.header("content-range") !== undefined) {
    throw new InvalidInputError(
      "Parts of files cannot be sent with Content-Range; send the whole file, or use the uploads of the API.",
      [{ at: "content-range", problem: "not accepted" }],
    );
  }
  const condition = c.req.header("if-none-match")?.trim();
  if (condition !== undefined && condition !== "*") {
    throw new InvalidInputError("If-None-Match of an upload can only be *.", [
      { at: "if-none-match", problem: "not *" },
    ]);
  }
  return {
    target,
    expected: checksumsOf(c.req.raw.headers),
    sizeBytes: contentLength(c.req.header("content-length")),
    onlyIfAbsent: condition === "*",
  };
}

function contentLength(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw new InvalidInputError("The header Content-Length is not a number of bytes.", [
    { at: "content-length", problem: "not a number" },
  ]);
}

/** Refuses what cannot succeed before gigabytes are sent in vain. The publish decides again. */
async function refuseEarly(
  services: Services,
  grant: RegistryGrant,
  { target, sizeBytes, expected, onlyIfAbsent }: Upload,
): Promise<void> {
  const { maxFileBytes, mutableFiles } = grant.registry.policies;
  if (sizeBytes !== undefined && sizeBytes > maxFileBytes) throw tooLarge(target, maxFileBytes);
  const isSmall = sizeBytes !== undefined && sizeBytes < WORTH_A_LOOK_BYTES;
  if (!onlyIfAbsent && (mutableFiles || isSmall)) return;
  const { packageName, version, path } = target;
  const there = await services.catalogue.findFile(grant, packageName, version, path);
  if (there === undefined) return;
  if (onlyIfAbsent) {
    throw new PreconditionFailedError(`${path} of ${packageName} ${version} exists already.`);
  }
  const differs =
    (sizeBytes !== undefined && sizeBytes !== there.sizeBytes) ||
    FILE_DIGESTS.some((name) => (expected[name] ?? there.digests[name]) !== there.digests[name]);
  if (!mutableFiles && differs) throw new VersionExistsError(packageName, version, path);
}

async function storeBytes(
  c: Context<AppEnv>,
  services: Services,
  grant: RegistryGrant,
  { target, expected, sizeBytes }: Upload,
): Promise<NewFile> {
  const blob = await services.stores.blobs.put(c.req.raw.body ?? new Uint8Array(), {
    algorithms: FILE_DIGESTS,
    expected,
    maxSizeBytes: grant.registry.policies.maxFileBytes,
    ...(sizeBytes === undefined ? {} : { expectedSizeBytes: sizeBytes }),
  });
  return {
    path: target.path,
    sizeBytes: blob.sizeBytes,
    digests: requireDigests(blob.digests),
    contentType: contentTypeFor(c.req.header("content-type"), target.path),
  };
}

const tooLarge = (target: Target, limitBytes: number): TooLargeError =>
  new TooLargeError(
    `"${target.path.slice(0, 200)}"`,
    limitBytes,
    "Ask an administrator to raise maxFileBytes in the registry's policies.",
  );
