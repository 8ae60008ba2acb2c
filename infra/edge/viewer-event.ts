/** A value that may have come more than once. */
export interface ViewerValue {
  readonly value: string;
  readonly multiValue?: readonly { readonly value: string }[];
}

/** Names are in lower case. */
export type ViewerHeaders = Record<string, ViewerValue | undefined>;

/**
 * A request as CloudFront Functions see and change it; values are encoded as they were sent.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
 */
export interface ViewerRequest {
  readonly method: string;
  uri: string;
  querystring: Record<string, ViewerValue | undefined>;
  readonly headers: ViewerHeaders;
  cookies: Record<string, ViewerValue | undefined>;
}

export interface ViewerResponse {
  statusCode: number;
  statusDescription: string;
  readonly headers: ViewerHeaders;
  readonly body?: { readonly encoding: "text"; readonly data: string };
}
