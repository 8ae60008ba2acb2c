import * as z from "zod";
import { blobPath } from "../../functions/oci/blob-path.ts";
import { ociError, type OciErrorCode } from "../../functions/oci/errors.ts";
import type { ApiClient } from "../client/api-client.ts";
import { ApiError } from "../client/failures.ts";
import { type UploadView, uploadSchema } from "../client/schemas.ts";
import { completeOrFind } from "../client/transfer/complete-upload.ts";
import { PartSender } from "../client/transfer/part-sender.ts";
import { findUpload, missingParts } from "../client/transfer/upload-progress.ts";
import type { Remote } from "./remote.ts";
import type { Spool } from "./spool.ts";
import type { Upload } from "./uploads.ts";

const PARALLEL_PARTS = 4;
/** Uploads that were begun and not completed; the remote forgets them after a day. */
const MAX_REMEMBERED = 1000;

/** Blobs that go to blob storage in parts, by tickets of the management API. */
export class TicketUploads {
  readonly #remote: Remote;
  /** Ids of uploads that were broken off, so that a client that pushes the blob again sends what is missing. */
  readonly #begun = new Map<string, string>();

  constructor(remote: Remote) {
    this.#remote = remote;
  }

  /**
   * Sends a whole blob, named by its sha256.
   *
   * @returns 201 as of an upload that ended with PUT, or what the remote refuses, in the words of OCI.
   * @throws {CliError}; the abort's reason when the client has gone.
   */
  async send(request: Request, { name, spool }: Upload): Promise<Response> {
    const api = this.#remote.apiFor(request);
    const { signal } = request;
    const digest = spool.digest();
    const key = `${name}@${digest}`;
    try {
      const known = this.#begun.get(key);
      const resumed = known === undefined ? undefined : await findUpload(api, known, signal);
      const upload = resumed ?? (await begin(api, name, spool, signal));
      this.#remember(key, upload.id);
      const sender = new PartSender(api, upload, {
        source: { name: digest, read: (start, end) => spool.read(start, end) },
        parallel: PARALLEL_PARTS,
        signal,
        onBytes: () => {},
      });
      await sender.send(missingParts(upload, spool.sizeBytes));
      const find = (): Promise<true | undefined> => this.#find(request, name, digest);
      await completeOrFind(api, upload.id, { schema: ANY, find, signal });
      this.#begun.delete(key);
      return created(name, digest);
    } catch (error) {
      if (error instanceof ApiError) return refusal(error);
      throw error;
    }
  }

  /** Whether the image has the blob now. */
  async #find(request: Request, name: string, digest: string): Promise<true | undefined> {
    const head = new Request(new URL(`/v2/${name}/blobs/${digest}`, request.url), {
      method: "HEAD",
      headers: request.headers,
      signal: request.signal,
    });
    const { status } = await this.#remote.forward(head);
    return status === 200 || status === 307 ? true : undefined;
  }

  #remember(key: string, id: string): void {
    this.#begun.delete(key);
    this.#begun.set(key, id);
    const [oldest] = this.#begun.keys();
    if (oldest !== undefined && this.#begun.size > MAX_REMEMBERED) this.#begun.delete(oldest);
  }
}

const ANY = z.unknown().transform(() => true as const);

async function begin(
  api: ApiClient,
  name: string,
  spool: Spool,
  signal: AbortSignal,
): Promise<UploadView> {
  const [registry = "", ...image] = name.split("/");
  const digest = spool.digest();
  return api.send({
    method: "POST",
    path: "/uploads",
    body: {
      registry,
      package: image.join("/"),
      version: digest,
      path: blobPath(digest),
      sizeBytes: spool.sizeBytes,
      sha256: digest.slice("sha256:".length),
    },
    schema: uploadSchema,
    signal,
  });
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#post-then-put */
function created(name: string, digest: string): Response {
  const headers = {
    location: `/v2/${name}/blobs/${digest}`,
    "docker-content-digest": digest,
    "content-length": "0",
  };
  return new Response(null, { status: 201, headers });
}

const CODES: Readonly<Record<number, OciErrorCode>> = {
  403: "DENIED",
  404: "NAME_UNKNOWN",
  429: "TOOMANYREQUESTS",
  503: "UNAVAILABLE",
};

/** What the management API refuses, in words that clients read: docker up to 28 tries all but UNSUPPORTED again. */
function refusal({ status, code, message }: ApiError): Response {
  if (code === "digest-mismatch") return ociError(400, "DIGEST_INVALID", message);
  if (status === 401) {
    return ociError(
      401,
      "UNAUTHORIZED",
      "So large a blob goes by the management API, which does not take the short tokens of OCI clients: log the proxy in (entrepot login), and push through it without a login of the client's own.",
    );
  }
  if (status === 413 || code === "unsupported") {
    return ociError(413, "UNSUPPORTED", `The registry does not take this blob: ${message}`);
  }
  return ociError(status, CODES[status] ?? "UNSUPPORTED", message);
}
