import * as z from "zod";
import { PREFETCH_STATUSES } from "../../../shared/services/views/prefetch.ts";
import { bytes, closed, count, cursor, line } from "./common.ts";
import { digests } from "./packages.ts";

export const purgeInput = closed({
  package: line(1, 220).optional().meta({ description: "Only copies of this package." }),
  version: line(1, 256).optional().meta({ description: "Only files of this version of it." }),
  documents: z.boolean().default(false).meta({
    description:
      "Only documents, which stay and are held against the upstream's when they are asked for next.",
  }),
  confirm: line(0, 63).optional().meta({
    description:
      "The slug, typed by whoever means everything; without it only a part can be purged.",
  }),
  cursor,
}).meta({ id: "Purge" });

export const purged = closed({
  packages: count.meta({ description: "Packages of which something went, and all of it did." }),
  versions: count,
  files: count,
  documents: count.meta({ description: "Of the upstream, forgotten or marked." }),
  sizeBytes: bytes.meta({ description: "Of the files. The garbage collection frees them." }),
  remaining: count.meta({ description: "Packages still to be looked at; 10,000 stands for more." }),
  nextCursor: z.string().optional().meta({
    description: "Absent when all is done. Otherwise send the same again with it as `cursor`.",
  }),
}).meta({ id: "Purged", description: "What this call did." });

const MAX_DIGESTS = 500;

export const prefetchInput = closed({
  items: z
    .array(
      closed({
        package: line(1, 220),
        version: line(1, 256).meta({ description: "Of images: a tag or a digest." }),
        path: line(1, 1024).optional().meta({
          description: "One file of the version; absent: all that its registry lists.",
        }),
        digests: z
          .array(z.string().regex(/^(?:md5|sha1|sha256|sha512):[0-9a-f]{32,128}$/))
          .max(MAX_DIGESTS)
          .optional()
          .meta({ description: "Only files announced with one of these, as `sha256:<hex>`." }),
      }),
    )
    .min(1)
    .max(100),
}).meta({ id: "Prefetch" });

export const prefetched = closed({
  items: z.array(
    closed({
      package: z.string(),
      version: z.string(),
      path: z.string().optional(),
      status: z.enum(PREFETCH_STATUSES).meta({
        description: "`pending`: it is on its way, or there was no time for it; ask again.",
      }),
      detail: z.string().optional().meta({ description: "What was wrong." }),
      sizeBytes: bytes.meta({ description: "Of the files." }),
      files: z.array(closed({ path: z.string(), sizeBytes: bytes, digests: digests.partial() })),
    }),
  ),
}).meta({ id: "Prefetched", description: "As they were asked for, in the same order." });
