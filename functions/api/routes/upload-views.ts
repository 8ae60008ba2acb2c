import type { Upload } from "../../../shared/records/uploads.ts";
import type { Services } from "../../../shared/services/services.ts";
import { MAX_TICKETS } from "../schema/uploads.ts";

export function renderUpload({ uploads }: Services, upload: Upload) {
  const { id, registry, packageName, version, path, sizeBytes, partSizeBytes } = upload;
  return {
    id,
    registry,
    package: packageName,
    version,
    path,
    sizeBytes,
    partSizeBytes,
    partCount: uploads.partCount(upload),
    expiresAt: new Date(upload.expiresAtMs).toISOString(),
  };
}

/** Tickets for the first parts of an upload, at most {@link MAX_TICKETS}. */
export async function firstTickets(services: Services, upload: Upload, baseUrl: string) {
  const length = Math.min(MAX_TICKETS, services.uploads.partCount(upload));
  const numbers = Array.from({ length }, (_, position) => position + 1);
  return ticketsFor(services, upload, numbers, baseUrl);
}

/** @throws {InvalidInputError} for a part that the upload does not have. */
export async function ticketsFor(
  { uploads }: Services,
  upload: Upload,
  partNumbers: readonly number[],
  baseUrl: string,
) {
  return Promise.all(
    partNumbers.map(async (partNumber) => {
      const { url, headers } = await uploads.partTicket(upload, partNumber);
      return {
        partNumber,
        method: "PUT" as const,
        // Embedded storage gives a path, because only the client knows by which name it reached us.
        url: url.startsWith("/") ? baseUrl + url : url,
        headers: { ...headers },
        sizeBytes: uploads.partSize(upload, partNumber),
      };
    }),
  );
}
