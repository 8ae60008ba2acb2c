import * as z from "zod";
import { bytes, closed, line, time } from "./common.ts";

/** Tickets given in one answer at most. */
export const MAX_TICKETS = 100;

const partNumber = z.int().min(1).max(10_000);

export const newUpload = closed({
  registry: line(1, 63),
  package: line(1, 220),
  version: line(1, 256),
  path: line(1, 1000),
  sizeBytes: bytes.max(5 * 1024 ** 4),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "is not 64 lower-case hexadecimal digits"),
  contentType: z
    .string()
    .max(200)
    .regex(
      /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; ?[\w!#$&^.+-]+=[\w!#$&^.+-]+)*$/,
      "is not a media type",
    )
    .default("application/octet-stream"),
}).meta({ id: "NewUpload" });

export const uploadIdParam = z.string().regex(/^[0-9A-Za-z]{1,64}$/, "is not an upload's id");

export const partTicket = closed({
  partNumber,
  method: z.literal("PUT"),
  url: z.url(),
  headers: z.record(z.string(), z.string()).meta({ description: "To be sent as they are." }),
  sizeBytes: bytes,
}).meta({
  id: "PartTicket",
  description: "Send the bytes of the part to `url`, without your token.",
});

const upload = {
  id: z.string(),
  registry: z.string(),
  package: z.string(),
  version: z.string(),
  path: z.string(),
  sizeBytes: bytes,
  partSizeBytes: bytes,
  partCount: partNumber,
  expiresAt: time.meta({ description: "Complete the upload before." }),
};

export const startedUpload = closed({
  ...upload,
  parts: z.array(partTicket).max(MAX_TICKETS).meta({
    description: "Tickets for the first 100 parts; ask for more with their numbers.",
  }),
}).meta({ id: "StartedUpload" });

export const uploadProgress = closed({
  ...upload,
  arrived: z.array(closed({ partNumber, sizeBytes: bytes })),
}).meta({ id: "UploadProgress" });

export const wantedParts = closed({
  partNumbers: z.array(partNumber).min(1).max(MAX_TICKETS),
}).meta({ id: "WantedParts" });

export const partTickets = closed({ parts: z.array(partTicket) }).meta({ id: "PartTickets" });
