import * as z from "zod";

/** Shapes of the ARNs that options name, in any partition. */
export const ARN_PATTERNS = {
  certificate: /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[A-Za-z0-9-]+$/,
  roleInPath: /^arn:aws[a-z-]*:iam::\d{12}:role\/(?:[\w+=,.@-]+\/)*[\w+=,.@-]{1,64}$/,
  domain: /^arn:aws[a-z-]*:codeartifact:[a-z0-9-]+:\d{12}:domain\/[a-z][a-z0-9-]{0,48}[a-z0-9]$/,
  role: /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@-]{1,64}$/,
} as const;

/** A region's name, such as `eu-central-1`. */
export const regionSchema = z
  .string()
  .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, "must be a region such as eu-central-1");

/** A host name of two labels or more, in lower case. */
export const domainNameSchema = z
  .string()
  .max(253)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    "must be a host name such as packages.example.com",
  );
