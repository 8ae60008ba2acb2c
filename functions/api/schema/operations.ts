import * as z from "zod";
import { AUDIT_ACTIONS } from "../../../shared/domain/audit.ts";
import { closed, count, cursor, limit, line, time } from "./common.ts";

export const auditQuery = closed({
  from: time.optional().meta({
    description:
      "Inclusive. Default: seven days before `to`. With a cursor, the times of the first page hold.",
  }),
  to: time.optional().meta({ description: "Exclusive. Default: now." }),
  actor: line(1, 100)
    .optional()
    .meta({ description: "Only what this owner of tokens did; not together with `registry`." }),
  registry: line(1, 63).optional().meta({ description: "Only together with `package`." }),
  package: line(1, 220)
    .optional()
    .meta({ description: "Only what happened to this package of `registry`." }),
  limit,
  cursor,
});

export const auditEntry = closed({
  id: z.string(),
  at: time,
  action: z.enum(AUDIT_ACTIONS),
  actor: z.string(),
  tokenId: z.string().meta({ description: "Empty for the server's own work." }),
  address: z.string(),
  requestId: z.string(),
  registry: z.string().meta({ description: "Slug; empty where none is concerned." }),
  package: z.string(),
  version: z.string(),
  detail: z.string(),
}).meta({ id: "AuditEntry" });

export const collectOptions = closed({
  graceSeconds: z
    .int()
    .min(0)
    .max(366 * 86_400)
    .default(86_400)
    .meta({
      description:
        "How long a blob may be without a reference. Must be longer than any publish takes: a publish stores its bytes before it refers to them.",
    }),
}).meta({ id: "CollectGarbage" });

export const collected = closed({ blobs: count, bytes: count }).meta({ id: "CollectedGarbage" });
export const reclaimed = closed({ versions: count, packages: count }).meta({ id: "Reclaimed" });
export const swept = closed({ uploads: count }).meta({ id: "SweptUploads" });
