import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import type { ApiClient } from "../api-client.ts";
import { CliError, EXIT, NetworkError } from "../failures.ts";
import { networkFailure } from "../network-failure.ts";
import { readFileChunks } from "../read-file.ts";
import { retrying } from "../retry.ts";
import type { HashedFile } from "./hash-file.ts";

/** Lost connections in a row without a byte between them. */
const ATTEMPTS = 6;

export interface DownloadJob {
  readonly url: string;
  readonly expected: HashedFile;
  /** Where the file is to be in the end; `.part` is added until it is whole. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes: (bytes: number) => void;
  /** Bytes of an interrupted download that are there already. */
  readonly onResume: (bytes: number) => void;
}

class WrongBytesError extends Error {}

/**
 * Downloads a file into `<out>.part`, going on where an interrupted download stopped, and renames it when its
 * SHA-256 is the expected one. What has another one is removed.
 *
 * @throws {CliError}
 */
export async function downloadFile(api: ApiClient, job: DownloadJob): Promise<void> {
  try {
    await attempt(api, job, "resume");
  } catch (error) {
    if (!(error instanceof WrongBytesError)) throw error;
    // What was there may have been of another file.
    await attempt(api, job, "anew");
  }
}

async function attempt(api: ApiClient, job: DownloadJob, mode: "resume" | "anew"): Promise<void> {
  const partPath = `${job.out}.part`;
  const file = await open(partPath, mode === "resume" ? "a+" : "w+");
  let resumedBytes = 0;
  let sha256: string;
  try {
    const receiver = await Receiver.open(file, partPath, job.expected.sizeBytes);
    resumedBytes = receiver.position;
    if (resumedBytes > 0) job.onResume(resumedBytes);
    await receiveAll(api, job, receiver);
    await file.sync();
    sha256 = receiver.digest();
  } finally {
    await file.close();
  }
  if (sha256 === job.expected.sha256) return rename(partPath, job.out);
  await rm(partPath, { force: true });
  if (resumedBytes > 0) throw new WrongBytesError();
  throw new CliError(
    EXIT.failure,
    `The bytes of ${job.url} have the sha256 ${sha256}, not ${job.expected.sha256}; they were thrown away.`,
    {
      hint: "They were damaged on the way or in storage. Try again; if it stays, tell the administrator.",
    },
  );
}

async function receiveAll(api: ApiClient, job: DownloadJob, receiver: Receiver): Promise<void> {
  const { sizeBytes } = job.expected;
  let failures = 0;
  while (receiver.position < sizeBytes) {
    const before = receiver.position;
    try {
      await receive(api, job, receiver);
      if (receiver.position < sizeBytes)
        throw networkFailure(job.url, new Error("the answer ended too early"));
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      failures = receiver.position > before ? 1 : failures + 1;
      if (failures >= ATTEMPTS) throw error;
    }
  }
}

async function receive(api: ApiClient, job: DownloadJob, receiver: Receiver): Promise<void> {
  const { url, signal } = job;
  const response = await retrying({ attempts: ATTEMPTS, signal }, () =>
    api.fetch(url, {
      headers: {
        // Compressed on the way, the bytes would be others than those that the range counts.
        "accept-encoding": "identity",
        ...(receiver.position > 0 ? { range: `bytes=${receiver.position}-` } : {}),
      },
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  if (response.status === 200 && receiver.position > 0) {
    job.onBytes(-receiver.position);
    await receiver.restart();
  }
  requireRange(response, receiver.position, url);
  try {
    for await (const chunk of response.body ?? []) {
      const bytes: unknown = chunk;
      if (!(bytes instanceof Uint8Array)) continue;
      await receiver.write(bytes, url);
      job.onBytes(bytes.length);
    }
  } catch (error) {
    if (error instanceof CliError || signal?.aborted === true) throw error;
    throw networkFailure(url, error);
  }
}

function requireRange(response: Response, position: number, url: string): void {
  if (response.status === 200) return;
  const range = response.headers.get("content-range") ?? "";
  if (response.status === 206 && range.startsWith(`bytes ${position}-`)) return;
  throw new CliError(
    EXIT.failure,
    `${url} answered with status ${response.status} and the range "${range}", which was not asked for.`,
  );
}

/** The part of a file that has arrived: on disk, and in a running hash. */
class Receiver {
  readonly #file: FileHandle;
  readonly #sizeBytes: number;
  #hash: Hash = createHash("sha256");
  position = 0;

  private constructor(file: FileHandle, sizeBytes: number) {
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  /** Takes in what the file holds; more than the whole can be no part of it. */
  static async open(file: FileHandle, path: string, sizeBytes: number): Promise<Receiver> {
    const receiver = new Receiver(file, sizeBytes);
    const { size } = await file.stat();
    if (size > sizeBytes) await file.truncate(0);
    else if (size > 0) {
      for await (const chunk of readFileChunks(path)) {
        receiver.#hash.update(chunk);
        receiver.position += chunk.length;
      }
    }
    return receiver;
  }

  async restart(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash("sha256");
    this.position = 0;
  }

  async write(chunk: Uint8Array, url: string): Promise<void> {
    if (this.position + chunk.length > this.#sizeBytes) {
      throw new CliError(
        EXIT.failure,
        `${url} sends more than the ${this.#sizeBytes} bytes that it announced.`,
      );
    }
    await this.#file.writev([chunk]);
    this.#hash.update(chunk);
    this.position += chunk.length;
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}
