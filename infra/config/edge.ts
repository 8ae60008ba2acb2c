import * as z from "zod";

/** CloudFront in front of everything on one host name. Absent: clients speak to API Gateway. */
export const edgeSchema = z.strictObject({
  /** A web ACL with AWS' managed rules; costs from 5 USD a month. */
  waf: z.boolean().default(false),
});
