import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { IHasher } from "hash-wasm";
import { Busboy, type BusboyFileStream, type BusboyInstance } from "@fastify/busboy";
import { InvalidInputError, RegistryError, TooLargeError } from "../../../shared/errors.ts";
import { requestBytes } from "../../../shared/http/json-body.ts";
import type { Blobs } from "../../../shared/ports/blobs.ts";
import {
  type CheckedDistribution,
  DistributionIntake,
  startBlake2b256,
} from "./distribution-intake.ts";

/** What counts of the fields; all others are the core metadata, which is read from the archive instead. */
const FIELDS = [
  ":action",
  "protocol_version",
  "name",
  "version",
  "filetype",
  "md5_digest",
  "sha256_digest",
  "blake2_256_digest",
  "attestations",
] as const;
export type UploadField = (typeof FIELDS)[number];

/** Classifiers and dependencies are a field each. */
const MAX_FIELDS = 5000;
const MAX_FIELD_BYTES = 1024 * 1024;

/** A distribution that came in a form; its bytes are not stored for good yet. */
export interface UploadForm {
  /** Absent fields are not in it. */
  readonly fields: ReadonlyMap<UploadField, string>;
  readonly intake: DistributionIntake;
  readonly checked: CheckedDistribution;
}

/**
 * Reads the form of the upload API (https://docs.pypi.org/api/upload/), streaming its file `content` to storage. When
 * it throws, nothing is left; otherwise the caller commits or discards the intake.
 *
 * @throws {InvalidInputError} | {@link TooLargeError}
 */
export async function readUploadForm(
  request: Request,
  blobs: Blobs,
  maxBytes: number,
): Promise<UploadForm> {
  const reader = new FormReader(blobs, maxBytes, await startBlake2b256());
  try {
    return await reader.read(request);
  } catch (error) {
    await reader.discard();
    if (error instanceof RegistryError || !(error instanceof Error)) throw error;
    // The parser's own complaints, and of a stream that ends early.
    if (FORM_ERROR.test(error.message)) throw badForm(error.message);
    throw error;
  }
}

const FORM_ERROR = /multipart|boundary|unexpected end|premature|malformed|part terminated|header/i;

class FormReader {
  readonly #blobs: Blobs;
  readonly #maxBytes: number;
  readonly #blake2b: IHasher;
  readonly #fields = new Map<UploadField, string>();
  #problem: RegistryError | undefined;
  #intake: DistributionIntake | undefined;
  #stream: BusboyFileStream | undefined;
  #checked: Promise<CheckedDistribution> | undefined;

  constructor(blobs: Blobs, maxBytes: number, blake2b: IHasher) {
    this.#blobs = blobs;
    this.#maxBytes = maxBytes;
    this.#blake2b = blake2b;
  }

  async read(request: Request): Promise<UploadForm> {
    const form = this.#parser(request.headers.get("content-type") ?? "");
    await pipeline(Readable.from(requestBytes(request)), form);
    const checked = await this.#checked;
    if (this.#problem !== undefined) throw this.#problem;
    if (checked === undefined || this.#intake === undefined) {
      throw badForm('there is no file "content" in it');
    }
    return { fields: this.#fields, intake: this.#intake, checked };
  }

  async discard(): Promise<void> {
    this.#stream?.destroy();
    await this.#intake?.discard();
  }

  #parser(contentType: string): BusboyInstance {
    if (!/^multipart\/form-data\s*;/i.test(contentType)) {
      throw badForm("the body must be multipart/form-data, as twine sends it");
    }
    const form = new Busboy({
      headers: { "content-type": contentType },
      limits: { fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES, files: 3, headerPairs: 50 },
    });
    form.on("field", (name, value, _nameCut, isCut) => this.#takeField(name, value, isCut));
    form.on("fieldsLimit", () => this.#fail(badForm(`it has more than ${MAX_FIELDS} fields`)));
    form.on("filesLimit", () => this.#fail(badForm("it has more than 3 files")));
    form.on("file", (name, stream, fileName) => {
      // gpg_signature and others, of old clients.
      if (name !== "content") {
        stream.resume();
        return;
      }
      if (this.#checked !== undefined) {
        this.#fail(badForm('it has more than one file "content"'));
        stream.resume();
        return;
      }
      this.#stream = stream;
      this.#checked = this.#takeFile(stream, fileName);
      this.#checked.catch((error: unknown) => {
        form.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
    return form;
  }

  #takeField(name: string, value: string, isCut: boolean): void {
    const field = FIELDS.find((known) => known === name);
    if (field === undefined) return;
    if (isCut) {
      this.#fail(new TooLargeError(`The field "${field}"`, MAX_FIELD_BYTES));
    } else if (this.#fields.has(field)) {
      this.#fail(badForm(`it has the field "${field}" twice`));
    } else {
      this.#fields.set(field, value);
    }
  }

  async #takeFile(stream: BusboyFileStream, fileName: string): Promise<CheckedDistribution> {
    const intake = new DistributionIntake(this.#blobs, fileName, {
      maxBytes: this.#maxBytes,
      blake2b: this.#blake2b,
    });
    this.#intake = intake;
    for await (const chunk of stream) {
      if (chunk instanceof Uint8Array) await intake.write(chunk);
    }
    return intake.finish();
  }

  #fail(problem: RegistryError): void {
    this.#problem ??= problem;
  }
}

const badForm = (why: string): InvalidInputError =>
  new InvalidInputError(`The upload is not a form as twine sends it: ${why.slice(0, 200)}.`, [
    { at: "body", problem: why.slice(0, 200) },
  ]);
