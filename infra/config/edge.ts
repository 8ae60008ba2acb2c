import * as z from "zod";
import { domainNameSchema } from "./values.ts";

/** CloudFront reads its certificates from this region, wherever the rest is. */
const CERTIFICATE = /^arn:aws:acm:us-east-1:\d{12}:certificate\/[A-Za-z0-9-]+$/;

/** CloudFront in front of everything on one host name. Absent: clients speak to API Gateway. */
export const edgeSchema = z.strictObject({
  /** A web ACL with AWS' managed rules; costs from 5 USD a month. */
  waf: z.boolean().default(false),
  /** The host name of the registry. Absent: the name that CloudFront gives. */
  domain: z
    .strictObject({
      name: domainNameSchema,
      certificateArn: z
        .string()
        .regex(CERTIFICATE, "must be the ARN of an ACM certificate of us-east-1"),
      /** A Route 53 zone in which the name is made. Absent: you point the name at the output `EdgeDomainTarget`. */
      hostedZone: z
        .strictObject({ id: z.string().regex(/^Z[A-Z0-9]{1,31}$/), name: domainNameSchema })
        .optional(),
    })
    .optional(),
  /** CloudFront's price classes: North America and Europe; with most of Asia as well; all. */
  priceClass: z.enum(["100", "200", "all"]).default("100"),
  /**
   * When bytes that go straight to the bucket are checked: while they are uploaded, by S3, or when a manifest first
   * names them, by a copy inside S3. `publish` is for an account in which S3 refuses the edge's checksum header.
   */
  checkUploads: z.enum(["upload", "publish"]).default("upload"),
  /** Which key signs upload tickets; raised by one to change the key (docs/runbook.md, "Rotate the upload key"). */
  ticketGeneration: z.int().min(1).max(1_000_000).default(1),
});

/** The edge's options with every default filled in. */
export type EdgeConfig = z.output<typeof edgeSchema>;
