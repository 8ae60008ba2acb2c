import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { answered } from "./s3-errors.ts";
import type { S3Bucket } from "./s3-keys.ts";

const GIB = 1024 ** 3;
const PARALLEL_PARTS = 8;

/** Where S3's limits lie; tests set smaller ones. */
export interface CopyLimits {
  /** S3: 5 GiB. */
  readonly maxSingleCopyBytes: number;
  /** At least 5 MiB, and the object has at most 10,000 of them. */
  readonly partBytes: number;
}

const S3_LIMITS: CopyLimits = { maxSingleCopyBytes: 5 * GIB, partBytes: GIB };

/** Copies an object inside S3, whatever its size; the bytes do not pass through us. */
export async function copyObject(
  bucket: S3Bucket,
  from: string,
  to: string,
  sizeBytes: number,
  limits: CopyLimits = S3_LIMITS,
): Promise<void> {
  const source = `${bucket.name}/${from}`;
  if (sizeBytes > limits.maxSingleCopyBytes) {
    return copyInParts(bucket, source, to, sizeBytes, limits.partBytes);
  }
  await answered(() =>
    bucket.client.send(
      new CopyObjectCommand({
        Bucket: bucket.name,
        Key: to,
        CopySource: source,
        ChecksumAlgorithm: "SHA256",
      }),
    ),
  );
}

async function copyInParts(
  bucket: S3Bucket,
  source: string,
  to: string,
  sizeBytes: number,
  partBytes: number,
): Promise<void> {
  const target = { Bucket: bucket.name, Key: to };
  const { UploadId } = await answered(() =>
    bucket.client.send(new CreateMultipartUploadCommand(target)),
  );
  const upload = { ...target, UploadId };
  try {
    const count = Math.ceil(sizeBytes / partBytes);
    const copied: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let first = 0; first < count; first += PARALLEL_PARTS) {
      const numbers = Array.from(
        { length: Math.min(PARALLEL_PARTS, count - first) },
        (_, index) => first + index + 1,
      );
      copied.push(
        ...(await Promise.all(
          numbers.map(async (PartNumber) => {
            const start = (PartNumber - 1) * partBytes;
            const end = Math.min(start + partBytes, sizeBytes) - 1;
            const part = { ...upload, PartNumber, CopySource: source };
            const range = { CopySourceRange: `bytes=${start}-${end}` };
            const { CopyPartResult } = await answered(() =>
              bucket.client.send(new UploadPartCopyCommand({ ...part, ...range })),
            );
            return { PartNumber, ETag: CopyPartResult?.ETag };
          }),
        )),
      );
    }
    const parts = { MultipartUpload: { Parts: copied } };
    await answered(() =>
      bucket.client.send(new CompleteMultipartUploadCommand({ ...upload, ...parts })),
    );
  } catch (error) {
    await answered(() => bucket.client.send(new AbortMultipartUploadCommand(upload)));
    throw error;
  }
}
