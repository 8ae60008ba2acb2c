import { InvalidInputError } from "../../../shared/errors.ts";
import { parseJson, requestBytes } from "../../../shared/http/json-body.ts";
import type { Blobs } from "../../../shared/ports/blobs.ts";
import { type PackageBody, packageBodySchema, parseWith } from "../schema.ts";
import { AttachmentScanner, type ScanEvent } from "./attachment-scanner.ts";
import { Base64Decoder } from "./base64-decoder.ts";
import { type CheckedTarball, TarballIntake } from "./tarball-intake.ts";

/** `npm deprecate` sends a whole packument back: 32 MiB hold some 10,000 versions. */
export const PACKUMENT_LIMITS = { maxBytes: 32 * 1024 * 1024, maxDepth: 100 } as const;

/** A tarball of a body, checked and waiting to be stored. */
export interface PendingTarball {
  /** Key in `_attachments`. */
  readonly name: string;
  readonly checked: CheckedTarball;
  readonly intake: TarballIntake;
}

/** What `PUT /<package>` carried. Whoever holds a tarball commits or discards it. */
export interface ReceivedBody {
  readonly document: PackageBody;
  readonly tarball: PendingTarball | undefined;
}

/**
 * Reads the body of a `PUT /<package>`; a tarball in it goes to storage and through its checks while it
 * arrives.
 *
 * @throws {InvalidInputError} | {TooLargeError}; nothing is stored then.
 */
export async function readPackageBody(
  request: Request,
  blobs: Blobs,
  maxTarballBytes: number,
): Promise<ReceivedBody> {
  const reader = new PackageBodyReader(blobs, maxTarballBytes);
  try {
    for await (const chunk of requestBytes(request)) await reader.write(chunk);
    return await reader.finish();
  } catch (error) {
    await reader.discard();
    throw error;
  }
}

class PackageBodyReader {
  readonly #blobs: Blobs;
  readonly #maxTarballBytes: number;
  readonly #scanner = new AttachmentScanner({
    maxResidualBytes: PACKUMENT_LIMITS.maxBytes,
    maxDepth: PACKUMENT_LIMITS.maxDepth,
  });
  readonly #base64 = new Base64Decoder();
  #intake: TarballIntake | undefined;
  #name = "";

  constructor(blobs: Blobs, maxTarballBytes: number) {
    this.#blobs = blobs;
    this.#maxTarballBytes = maxTarballBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (const event of this.#scanner.feed(chunk)) await this.#take(event);
  }

  async #take(event: ScanEvent): Promise<void> {
    if (event.kind === "text") return this.#intake?.write(this.#base64.write(event.bytes));
    if (event.kind === "end") return this.#base64.end();
    if (this.#intake !== undefined) {
      throw new InvalidInputError(
        `There are two tarballs in _attachments, "${this.#name.slice(0, 80)}" and "${event.name.slice(0, 80)}"; publish one at a time.`,
      );
    }
    if (!event.name.endsWith(".tgz")) {
      throw new InvalidInputError(
        `"${event.name.slice(0, 80)}" in _attachments is neither a tarball (.tgz) nor provenance (.sigstore).`,
      );
    }
    this.#name = event.name;
    this.#intake = new TarballIntake(this.#blobs, this.#maxTarballBytes);
  }

  async finish(): Promise<ReceivedBody> {
    const value = parseJson(this.#scanner.residual(), PACKUMENT_LIMITS.maxDepth);
    const document = parseWith(packageBodySchema, value, "The package document");
    if (this.#intake === undefined) return { document, tarball: undefined };
    const checked = await this.#intake.finish();
    requireLength(document, this.#name, checked.sizeBytes);
    return { document, tarball: { name: this.#name, checked, intake: this.#intake } };
  }

  async discard(): Promise<void> {
    await this.#intake?.discard();
  }
}

function requireLength(document: PackageBody, name: string, sizeBytes: number): void {
  const announced = document.attachments.get(name);
  if (announced?.length !== undefined && announced.length !== sizeBytes) {
    throw new InvalidInputError(
      `The tarball has ${sizeBytes} bytes, but its length was said to be ${announced.length}; send it again.`,
      [{ at: `/_attachments/${name.slice(0, 80)}/length`, problem: "not the length of the data" }],
    );
  }
}
