import { hash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { answered, unlessS3Says } from "./s3-errors.ts";
import type { S3Bucket } from "./s3-keys.ts";

const PART_BYTES = 8 * 1024 ** 2;
const PARALLEL_PARTS = 3;
/** After so many parts they double, so that 10,000 of them hold 480 GiB and memory stays small before. */
const PARTS_OF_ONE_SIZE = 2000;

/**
 * Writes a stream of unknown length to one key as a multipart upload, with at most four parts in memory.
 * The object appears with {@link PartWriter.complete}, and not at all after {@link PartWriter.abort}.
 */
export class PartWriter {
  readonly #bucket: S3Bucket;
  readonly #upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string };
  readonly #done: CompletedPart[] = [];
  readonly #sending = new Set<Promise<void>>();
  /** Buffers of parts that were sent: collecting 8 MiB at a time is slower than filling them again. */
  readonly #spare: Buffer[] = [];
  #filling: Buffer = Buffer.alloc(0);
  #filledBytes = 0;
  #partNumber = 0;
  #failure: { readonly error: unknown } | undefined;

  private constructor(bucket: S3Bucket, key: string, uploadId: string) {
    this.#bucket = bucket;
    this.#upload = { Bucket: bucket.name, Key: key, UploadId: uploadId };
  }

  /** Begins the upload. */
  static async begin(bucket: S3Bucket, key: string): Promise<PartWriter> {
    const { UploadId } = await answered(() =>
      bucket.client.send(
        new CreateMultipartUploadCommand({
          Bucket: bucket.name,
          Key: key,
          ChecksumAlgorithm: "SHA256",
        }),
      ),
    );
    if (UploadId === undefined) throw new Error("S3 began a multipart upload without an id");
    return new PartWriter(bucket, key, UploadId);
  }

  /** Takes the next bytes (copying them); waits while enough parts are under way. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.byteLength; ) {
      if (this.#filledBytes === this.#filling.byteLength) await this.#nextPart();
      const room = this.#filling.byteLength - this.#filledBytes;
      const piece = chunk.subarray(taken, taken + room);
      this.#filling.set(piece, this.#filledBytes);
      this.#filledBytes += piece.byteLength;
      taken += piece.byteLength;
    }
  }

  /** Sends the rest; the object is there when it resolves. */
  async complete(): Promise<void> {
    this.#send();
    await Promise.all(this.#sending);
    this.#throwFailure();
    const Parts = this.#done.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    await answered(() =>
      this.#bucket.client.send(
        new CompleteMultipartUploadCommand({ ...this.#upload, MultipartUpload: { Parts } }),
      ),
    );
  }

  /** Forgets everything that was sent. */
  async abort(): Promise<void> {
    // A part that arrives after the abort would stay, and be paid for.
    await Promise.all(this.#sending);
    await unlessS3Says(["NoSuchUpload"], () =>
      this.#bucket.client.send(new AbortMultipartUploadCommand(this.#upload)),
    );
  }

  async #nextPart(): Promise<void> {
    this.#send();
    while (this.#sending.size >= PARALLEL_PARTS) await Promise.race(this.#sending);
    this.#throwFailure();
    const sizeBytes = PART_BYTES * 2 ** Math.floor(this.#partNumber / PARTS_OF_ONE_SIZE);
    const spare = this.#spare.pop();
    this.#filling = spare?.byteLength === sizeBytes ? spare : Buffer.allocUnsafeSlow(sizeBytes);
    this.#filledBytes = 0;
  }

  #send(): void {
    if (this.#filledBytes === 0) return;
    this.#partNumber += 1;
    const sending = this.#sendPart(this.#partNumber, this.#filling, this.#filledBytes)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
    this.#filledBytes = 0;
    this.#filling = Buffer.alloc(0);
  }

  async #sendPart(PartNumber: number, buffer: Buffer, sizeBytes: number): Promise<void> {
    const Body = buffer.subarray(0, sizeBytes);
    const ChecksumSHA256 = hash("sha256", Body, "base64");
    const part = { ...this.#upload, PartNumber, Body, ChecksumSHA256 };
    const { ETag } = await answered(() => this.#bucket.client.send(new UploadPartCommand(part)));
    this.#done.push({ PartNumber, ETag, ChecksumSHA256 });
    this.#spare.push(buffer);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
