import type { ApiClient } from "../api-client.ts";
import { apiPath } from "../api-path.ts";
import { ApiError } from "../failures.ts";
import { type UploadView, uploadSchema } from "../schemas.ts";

/** An upload that was begun; `undefined` when it is over, or somebody else's. @throws {ApiError} | {@link NetworkError} */
export async function findUpload(
  api: ApiClient,
  id: string,
  signal?: AbortSignal,
): Promise<UploadView | undefined> {
  try {
    return await api.send({ path: apiPath`/uploads/${id}`, schema: uploadSchema, signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** Numbers of the parts that have not arrived whole, ascending. `sizeBytes` is of all parts together. */
export function missingParts(upload: UploadView, sizeBytes: number): readonly number[] {
  const arrived = new Map(upload.arrived.map((part) => [part.partNumber, part.sizeBytes]));
  return Array.from({ length: upload.partCount }, (_, index) => index + 1).filter(
    (number) => arrived.get(number) !== partSize(upload, number, sizeBytes),
  );
}

/** Bytes of one part; `sizeBytes` is of all together. */
export function partSize(upload: UploadView, number: number, sizeBytes: number): number {
  return Math.min(upload.partSizeBytes, sizeBytes - (number - 1) * upload.partSizeBytes);
}
