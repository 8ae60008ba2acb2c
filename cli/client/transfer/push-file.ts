import { createReadStream } from "node:fs";
import type { ApiClient } from "../api-client.ts";
import { apiPath } from "../api-path.ts";
import { ApiError, CliError, EXIT, NetworkError } from "../failures.ts";
import { type FileAddress, findPublished } from "../files.ts";
import { type FileView, objectSchema, type UploadView, uploadSchema } from "../schemas.ts";
import { completeUpload } from "./complete-upload.ts";
import type { HashedFile } from "./hash-file.ts";
import { PartSender } from "./part-sender.ts";
import type { PartSource } from "./send-part.ts";
import { findUpload, missingParts, partSize } from "./upload-progress.ts";
import type { UploadStates, UploadTarget } from "./upload-states.ts";

export interface PushJob {
  readonly address: FileAddress;
  /** Absolute path of the local file. */
  readonly file: string;
  readonly content: HashedFile;
  readonly contentType?: string | undefined;
  /** The registry lets files be replaced. */
  readonly mutable: boolean;
  readonly parallel: number;
  readonly signal?: AbortSignal | undefined;
}

/** Hears how a push goes. */
export interface PushObserver {
  /** The upload that is under way, and how many of its bytes were there before. */
  began(upload: UploadView, arrivedBytes: number): void;
  bytes(bytes: number): void;
  /** Every part is there; the server reads them back. */
  verifying(): void;
  note(text: string): void;
}

export interface PushResult extends HashedFile {
  readonly registry: string;
  readonly package: string;
  readonly version: string;
  readonly path: string;
  /** To download it from. */
  readonly url: string;
  /** `unchanged`: the same bytes were published there before. */
  readonly outcome: "published" | "unchanged";
  readonly sentParts: number;
  /** Parts that an interrupted push had sent. */
  readonly resumedParts: number;
}

/**
 * Publishes one file: an upload in parts that goes on where an interrupted one of the same bytes stopped.
 *
 * @throws {CliError} with exit code 5 when the path holds other bytes and may not be replaced.
 */
export async function pushFile(
  api: ApiClient,
  states: UploadStates,
  job: PushJob,
  observer: PushObserver,
): Promise<PushResult> {
  const { address, content, signal } = job;
  const result = (file: FileView) => ({
    registry: address.registry,
    package: address.packageName,
    version: address.version,
    path: file.path,
    url: file.downloadUrl,
    ...content,
  });
  const before = await findPublished(api, address, signal);
  if (before?.digests.sha256 === content.sha256) {
    return { ...result(before), outcome: "unchanged", sentParts: 0, resumedParts: 0 };
  }
  if (before !== undefined && !job.mutable) throw differs(address, before.digests.sha256);
  const target: UploadTarget = { url: api.url, ...address };
  const upload = await resumeOrBegin(api, states, target, job, observer);
  const missing = missingParts(upload, content.sizeBytes);
  const missingBytes = missing.reduce(
    (sum, number) => sum + partSize(upload, number, content.sizeBytes),
    0,
  );
  observer.began(upload, content.sizeBytes - missingBytes);
  const onBytes = (bytes: number): void => observer.bytes(bytes);
  await new PartSender(api, upload, { ...job, source: fileSource(job.file), onBytes }).send(
    missing,
  );
  observer.verifying();
  const published = await finish(api, states, target, upload, job);
  return {
    ...result(published),
    outcome: "published",
    sentParts: missing.length,
    resumedParts: upload.partCount - missing.length,
  };
}

async function resumeOrBegin(
  api: ApiClient,
  states: UploadStates,
  target: UploadTarget,
  job: PushJob,
  observer: PushObserver,
): Promise<UploadView> {
  const state = await states.find(target);
  if (state !== undefined) {
    if (state.sha256 === job.content.sha256 && state.sizeBytes === job.content.sizeBytes) {
      const upload = await findUpload(api, state.uploadId);
      if (upload !== undefined) return upload;
      observer.note("The interrupted upload has expired; starting anew.");
    } else {
      observer.note("The file is not the one of the interrupted upload; starting anew.");
      await abandon(api, state.uploadId);
    }
  }
  const { address, content, contentType } = job;
  const upload = await api.send({
    method: "POST",
    path: "/uploads",
    body: {
      registry: address.registry,
      package: address.packageName,
      version: address.version,
      path: address.path,
      ...content,
      ...(contentType === undefined ? {} : { contentType }),
    },
    schema: uploadSchema,
    signal: job.signal,
  });
  const startedAt = new Date().toISOString();
  await states.save(target, { uploadId: upload.id, ...content, file: job.file, startedAt });
  return upload;
}

/** The server forgets it by itself after a day; a failure here must not stop a push. */
async function abandon(api: ApiClient, id: string): Promise<void> {
  try {
    await api.send({ method: "DELETE", path: apiPath`/uploads/${id}`, schema: objectSchema });
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof NetworkError)) throw error;
  }
}

async function finish(
  api: ApiClient,
  states: UploadStates,
  target: UploadTarget,
  upload: UploadView,
  job: PushJob,
): Promise<FileView> {
  const { address, content, signal } = job;
  try {
    const published = await completeUpload(api, upload.id, { address, ...content, signal });
    await states.remove(target);
    return published;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "digest-mismatch") throw error;
    await states.remove(target);
    throw new CliError(
      EXIT.failure,
      `The server got other bytes than were announced: ${error.message}`,
      {
        hint: "The file changed while it was sent, or it was damaged on the way. Nothing was published; push it again.",
        cause: error,
      },
    );
  }
}

function fileSource(path: string): PartSource {
  return {
    name: path,
    read: (start, end) => createReadStream(path, { start, end, highWaterMark: 256 * 1024 }),
  };
}

function differs(address: FileAddress, sha256: string): CliError {
  const { packageName, version, path, registry } = address;
  return new CliError(
    EXIT.conflict,
    `${path} of ${packageName} ${version} was published before with other bytes (sha256 ${sha256}).`,
    {
      hint: `Publish a new version. Only registries with --mutable-files let files be replaced (entrepot registry update ${registry} --mutable-files).`,
    },
  );
}
