import * as z from "zod";
import { closed } from "./common.ts";

const printable = /^[\x21-\x7e ]*$/;

export const identityHow = closed({
  region: z.string().meta({
    description: "Sign a request GetCallerIdentity of STS in this region.",
    examples: ["eu-central-1"],
  }),
}).meta({ id: "AwsIdentityHow" });

export const identityProof = closed({
  authorization: z.string().min(1).max(2000).regex(printable).meta({
    description:
      "The `Authorization` header (Signature Version 4) of a POST to `https://sts.<region>.amazonaws.com/` with the body `Action=GetCallerIdentity&Version=2011-06-15`. It signs `content-type`, `host`, `x-amz-date`, `x-amz-security-token` where there is one, and `x-entrepot-deployment` with the host name of this registry.",
  }),
  date: z
    .string()
    .regex(/^\d{8}T\d{6}Z$/)
    .meta({ description: "The header `x-amz-date`; five minutes old at most." }),
  securityToken: z.string().min(1).max(8192).regex(printable).optional().meta({
    description: "The header `x-amz-security-token`, which temporary credentials have.",
  }),
  allow: z.enum(["pull", "publish"]).optional().meta({
    description: "What the token is for. Absent: to publish where the role may, otherwise to pull.",
  }),
}).meta({ id: "AwsIdentityProof" });
