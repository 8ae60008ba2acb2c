import type { ViewerRequest, ViewerResponse } from "./viewer-event.ts";

/** Put in by the bundler. */
declare const LOCATION_HEADER: string;
declare const DIRECT_PREFIX: string;

/** Our functions answer a finished upload with 201, so that 200 to a PUT is the bucket's. */
const UPLOAD = /^(\/v2\/.+\/blobs\/)uploads\/[^/]*$/;
const SHA256 = /^sha256(?::|%3A|%3a)([0-9a-f]{64})$/;

/**
 * The viewer response function of CloudFront: the bucket's 200 becomes the 201 that clients of a registry wait for.
 * It is not asked about answers of 400 and more, so that the bucket's own refusal of wrong bytes arrives as it is.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html
 */
export function handler(event: {
  readonly request: ViewerRequest;
  readonly response: ViewerResponse;
}): ViewerResponse {
  const request = event.request;
  const response = event.response;
  if (request.method !== "PUT" || response.statusCode !== 200) return response;
  const location = locationOf(request);
  if (location === undefined) return response;
  Object.keys(response.headers)
    .filter((name) => name === "etag" || name === "server" || name.indexOf("x-amz-") === 0)
    .forEach((name) => {
      delete response.headers[name];
    });
  response.statusCode = 201;
  response.statusDescription = "Created";
  response.headers["location"] = { value: location };
  response.headers["docker-content-digest"] = {
    value: location.slice(location.lastIndexOf("/") + 1),
  };
  return response;
}

/** Whether the request stands here as the client sent it or as it went to the bucket is not documented: both do. */
function locationOf(request: ViewerRequest): string | undefined {
  const header = request.headers[LOCATION_HEADER];
  if (request.uri.indexOf(`/${DIRECT_PREFIX}`) === 0) {
    return header === undefined ? undefined : header.value;
  }
  const path = UPLOAD.exec(request.uri);
  const parameter = request.querystring["digest"];
  const digest = parameter === undefined ? null : SHA256.exec(parameter.value);
  return path === null || digest === null ? undefined : `${path[1]}sha256:${digest[1]}`;
}
