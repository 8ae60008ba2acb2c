import type { Context } from "hono";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { Services } from "../../../shared/services/services.ts";
import type { UploadSession } from "../../../shared/records/upload-sessions.ts";
import { parseChunk, type Chunk } from "../chunk.ts";
import { continuedLocation, newUploadLocation, verifyTicket } from "../edge/upload-tickets.ts";
import { OciInvalidError, ociError } from "../errors.ts";
import { UPLOAD_LIMIT_HEADER } from "../upload-limit.ts";
import { mountBlob } from "../mount.ts";
import { type OciDigest, parseDigest } from "../names.ts";
import type { Repository } from "../path.ts";
import { openTarget, type Target } from "../target.ts";

type UploadPath = Repository & { readonly last: string };

interface Opened {
  readonly target: Target;
  readonly session: UploadSession;
}

/** POST: begins a session, mounts a blob of another repository, or takes a whole blob at once. */
export async function startUpload(
  c: Context<AppEnv>,
  services: Services,
  path: Repository,
): Promise<Response> {
  const target = await openTarget(c, services, path, "packages:write");
  const mount = c.req.query("mount");
  if (mount !== undefined) {
    const digest = parseDigest(mount);
    if (await mountBlob(c, services, target, digest, c.req.query("from"))) {
      return created(target, digest);
    }
  }
  const { id, location } = await newUploadLocation(services, target.name, target.ref);
  const whole = c.req.query("digest");
  if (whole !== undefined && mount === undefined) {
    const { searchParams } = new URL(location, "http://localhost");
    const text = searchParams.get("t") ?? "";
    const ticket = await verifyTicket(services, { name: target.name, id, text }, target.ref);
    const session = await services.uploadSessions.get(ticket);
    return complete(c, services, { target, session }, parseDigest(whole));
  }
  const { maxBodyBytes } = services.options;
  const headers = {
    ...progress(location, id, 0),
    ...(maxBodyBytes === undefined ? {} : { [UPLOAD_LIMIT_HEADER]: String(maxBodyBytes) }),
  };
  return new Response(null, { status: 202, headers });
}

/** PATCH: appends a stream, or a chunk that must begin where the session ends. */
export async function patchUpload(
  c: Context<AppEnv>,
  services: Services,
  path: UploadPath,
): Promise<Response> {
  const opened = await openUpload(c, services, path);
  const { target, session } = opened;
  const chunk = parseChunk(c.req.raw.headers);
  if (!follows(chunk, session)) return outOfOrder(services, opened);
  const body = c.req.raw.body ?? new Blob([]).stream();
  const maxSizeBytes = target.grant.registry.policies.maxFileBytes;
  const result = await services.uploadSessions.append(session, body, {
    maxSizeBytes,
    ...(chunk.sizeBytes === undefined ? {} : { sizeBytes: chunk.sizeBytes }),
  });
  if (!result.appended) return outOfOrder(services, { target, session: result.session });
  const location = await continuedLocation(services, target.name, result.session);
  const { id, offsetBytes } = result.session;
  return new Response(null, { status: 202, headers: progress(location, id, offsetBytes) });
}

/** PUT: the last bytes, if any, and the digest of them all. */
export async function putUpload(
  c: Context<AppEnv>,
  services: Services,
  path: UploadPath,
): Promise<Response> {
  const opened = await openUpload(c, services, path);
  const digest = c.req.query("digest");
  if (digest === undefined) {
    throw new OciInvalidError(
      "DIGEST_INVALID",
      "The upload ends with ?digest=<algorithm>:<digest>.",
    );
  }
  const parsed = parseDigest(digest);
  if (!follows(parseChunk(c.req.raw.headers), opened.session)) return outOfOrder(services, opened);
  return complete(c, services, opened, parsed);
}

/** GET: how much has arrived. */
export async function getUpload(
  c: Context<AppEnv>,
  services: Services,
  path: UploadPath,
): Promise<Response> {
  const { target, session } = await openUpload(c, services, path);
  const location = await locationNow(c, services, target, session);
  return new Response(null, {
    status: 204,
    headers: progress(location, session.id, session.offsetBytes, false),
  });
}

/** DELETE: forgets a session and its bytes. */
export async function cancelUpload(
  c: Context<AppEnv>,
  services: Services,
  path: UploadPath,
): Promise<Response> {
  const { session } = await openUpload(c, services, path);
  await services.uploadSessions.cancel(session);
  return new Response(null, { status: 204 });
}

async function openUpload(
  c: Context<AppEnv>,
  services: Services,
  path: UploadPath,
): Promise<Opened> {
  const target = await openTarget(c, services, path, "packages:write");
  const request = { name: target.name, id: path.last, text: c.req.query("t") ?? "" };
  const ticket = await verifyTicket(services, request, target.ref);
  return { target, session: await services.uploadSessions.get(ticket) };
}

async function complete(
  c: Context<AppEnv>,
  services: Services,
  { target, session }: Opened,
  digest: OciDigest,
): Promise<Response> {
  const { sizeBytes } = parseChunk(c.req.raw.headers);
  const { body } = c.req.raw;
  await services.uploadSessions.complete(session, {
    digest: digest.text,
    expected: digest.expected,
    maxSizeBytes: target.grant.registry.policies.maxFileBytes,
    ...(body === null || sizeBytes === 0 ? {} : { body }),
    ...(sizeBytes === undefined ? {} : { bodyBytes: sizeBytes }),
  });
  return created(target, digest);
}

/** The blob is there and can be pulled. */
function created({ name }: Target, digest: OciDigest): Response {
  return new Response(null, {
    status: 201,
    headers: {
      location: `/v2/${name}/blobs/${digest.text}`,
      "docker-content-digest": digest.text,
      "content-length": "0",
    },
  });
}

const follows = (chunk: Chunk, session: UploadSession): boolean =>
  chunk.startBytes === undefined || chunk.startBytes === session.offsetBytes;

/** A chunk from the wrong place: says from where to go on. */
async function outOfOrder(services: Services, { target, session }: Opened): Promise<Response> {
  const response = ociError(
    416,
    "BLOB_UPLOAD_INVALID",
    `${session.offsetBytes} bytes have arrived; the next chunk must begin there.`,
  );
  const location = await continuedLocation(services, target.name, session);
  const headers = progress(location, session.id, session.offsetBytes, false);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** A session without bytes keeps its fresh ticket. */
async function locationNow(
  c: Context<AppEnv>,
  services: Services,
  target: Target,
  session: UploadSession,
): Promise<string> {
  if (session.pieceCount > 0) return continuedLocation(services, target.name, session);
  return `/v2/${target.name}/blobs/uploads/${session.id}?t=${c.req.query("t") ?? ""}`;
}

/** `Range` is of bytes that have arrived; the specification has `0-0` for none as well as for one. */
function progress(
  location: string,
  id: string,
  offsetBytes: number,
  hasBody = true,
): Record<string, string> {
  return {
    location,
    range: `0-${Math.max(0, offsetBytes - 1)}`,
    "docker-upload-uuid": id,
    "cache-control": "no-store",
    ...(hasBody ? { "content-length": "0" } : {}),
  };
}
