import type {
  BlobPage,
  BlobStat,
  Blobs,
  ByteRange,
  ByteStream,
  DirectUpload,
  DownloadTicketOptions,
  MultipartUpload,
  PutOptions,
  StagedPiece,
  StoredBlob,
  Ticket,
  UploadedPart,
  UploadTicketOptions,
} from "./blobs.ts";

/** How often each operation was asked for, and the bytes that passed through us. */
export interface BlobCounts {
  readonly operations: Readonly<Partial<Record<keyof Blobs, number>>>;
  /** Bytes that `put`, `completeMultipart` and `commitStaged` stored. */
  readonly bytesIn: number;
  /** Bytes that `read` and streams of `open` gave. */
  readonly bytesOut: number;
}

/** {@link Blobs} that counts what it passes on: benchmarks hold requests to a budget of store calls. */
export class CountingBlobs implements Blobs {
  readonly #inner: Blobs;
  #operations = new Map<keyof Blobs, number>();
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(inner: Blobs) {
    this.#inner = inner;
  }

  /** Since the start or the last {@link CountingBlobs.reset}. */
  counts(): BlobCounts {
    return {
      operations: Object.fromEntries(this.#operations),
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
    };
  }

  /** Starts again from nothing. */
  reset(): void {
    this.#operations = new Map();
    this.#bytesIn = 0;
    this.#bytesOut = 0;
  }

  async put(body: ByteStream | Uint8Array, options?: PutOptions): Promise<StoredBlob> {
    return this.#stored(await this.#count("put").put(body, options));
  }

  async open(sha256: string, range?: ByteRange): Promise<ByteStream | undefined> {
    const body = await this.#count("open").open(sha256, range);
    return body?.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          this.#bytesOut += chunk.byteLength;
          controller.enqueue(chunk);
        },
      }),
    );
  }

  async read(sha256: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = await this.#count("read").read(sha256, range);
    this.#bytesOut += bytes?.byteLength ?? 0;
    return bytes;
  }

  async stat(sha256: string): Promise<BlobStat | undefined> {
    return this.#count("stat").stat(sha256);
  }

  async remove(sha256: string): Promise<void> {
    return this.#count("remove").remove(sha256);
  }

  async list(options: { readonly limit: number; readonly cursor?: string }): Promise<BlobPage> {
    return this.#count("list").list(options);
  }

  async uploadTicket(options: UploadTicketOptions): Promise<Ticket> {
    return this.#count("uploadTicket").uploadTicket(options);
  }

  async downloadTicket(options: DownloadTicketOptions): Promise<Ticket> {
    return this.#count("downloadTicket").downloadTicket(options);
  }

  async beginMultipart(): Promise<MultipartUpload> {
    return this.#count("beginMultipart").beginMultipart();
  }

  async partTicket(options: Parameters<Blobs["partTicket"]>[0]): Promise<Ticket> {
    return this.#count("partTicket").partTicket(options);
  }

  async listParts(uploadId: string): Promise<readonly UploadedPart[]> {
    return this.#count("listParts").listParts(uploadId);
  }

  async completeMultipart(
    uploadId: string,
    options: PutOptions & { readonly partCount: number },
  ): Promise<StoredBlob> {
    const inner = this.#count("completeMultipart");
    return this.#stored(await inner.completeMultipart(uploadId, options));
  }

  async abortMultipart(uploadId: string): Promise<void> {
    return this.#count("abortMultipart").abortMultipart(uploadId);
  }

  async listMultipart(): Promise<readonly MultipartUpload[]> {
    return this.#count("listMultipart").listMultipart();
  }

  async stage(body: ByteStream, options?: Parameters<Blobs["stage"]>[1]): Promise<StagedPiece> {
    return this.#count("stage").stage(body, options);
  }

  async commitStaged(pieces: readonly StagedPiece[], options?: PutOptions): Promise<StoredBlob> {
    return this.#stored(await this.#count("commitStaged").commitStaged(pieces, options));
  }

  async discardStaged(pieceId: string): Promise<void> {
    return this.#count("discardStaged").discardStaged(pieceId);
  }

  async takeDirect(upload: DirectUpload): Promise<StoredBlob | undefined> {
    return this.#count("takeDirect").takeDirect(upload);
  }

  async sweep(olderThanMs: number): Promise<void> {
    return this.#count("sweep").sweep(olderThanMs);
  }

  async ping(): Promise<void> {
    return this.#count("ping").ping();
  }

  #count(operation: keyof Blobs): Blobs {
    this.#operations.set(operation, (this.#operations.get(operation) ?? 0) + 1);
    return this.#inner;
  }

  #stored(blob: StoredBlob): StoredBlob {
    this.#bytesIn += blob.sizeBytes;
    return blob;
  }
}
