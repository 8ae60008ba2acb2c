import { DeleteObjectsCommand, ListObjectVersionsCommand, S3Client } from "@aws-sdk/client-s3";
import { CommandError } from "./options.ts";

/**
 * Removes every version of every object, and every delete marker, 1,000 at a time:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 *
 * @throws {CommandError} for versions that a lock still holds.
 */
export async function emptyBucket(bucket: string, region: string): Promise<void> {
  const endpoint = process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"];
  const client = new S3Client({ region, forcePathStyle: endpoint !== undefined });
  for (;;) {
    // Always the first page: what was on it is gone when the next one is asked for.
    const page = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    const Objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].flatMap(
      ({ Key, VersionId }) => (Key === undefined ? [] : [{ Key, VersionId }]),
    );
    if (Objects.length === 0) return;
    const { Errors = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
    );
    const [first] = Errors;
    if (first !== undefined) {
      throw new CommandError(
        `${Errors.length} objects of ${bucket} cannot be deleted; the first, ${first.Key ?? ""}: ${first.Message ?? first.Code ?? ""}`,
      );
    }
  }
}
