import * as z from "zod";

/**
 * What we read of an HTTP API's event, payload format 2.0
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
 * Header names are in lower case; several headers of one name are one, joined by commas.
 */
export const httpEvent = z.object({
  /** Decoded, unlike {@link HttpEvent.rawQueryString}. */
  rawPath: z.string(),
  rawQueryString: z.string().default(""),
  headers: z.record(z.string(), z.string()).default({}),
  cookies: z.array(z.string()).default([]),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({
    requestId: z.string(),
    domainName: z.string().optional(),
    http: z.object({ method: z.string(), sourceIp: z.string().default("") }),
  }),
});

export type HttpEvent = z.infer<typeof httpEvent>;

/** The answer in payload format 2.0. */
export interface HttpResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body: string;
  readonly isBase64Encoded: boolean;
}
