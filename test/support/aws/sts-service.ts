import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AwsCredentials, signRequest } from "../../../shared/adapters/aws/sign-request.ts";

/** Somebody whose credentials the service knows. */
export interface KnownCaller {
  readonly credentials: AwsCredentials;
  /** What STS calls it, such as `arn:aws:sts::111122223333:assumed-role/ci/run-1`. */
  readonly arn: string;
}

/** As much of STS as answers GetCallerIdentity, with signatures that are really checked. */
export interface StsService {
  /** Origin. */
  readonly url: string;
  /** Requests that came in. */
  readonly requests: readonly string[];
  /** Answered instead of everything, while set. */
  failWith: number | undefined;
  close(): Promise<void>;
}

export async function startSts(
  region: string,
  callers: readonly KnownCaller[],
): Promise<StsService> {
  const requests: string[] = [];
  const state: { failWith: number | undefined } = { failWith: undefined };
  const server = createServer((request, response) => {
    void answer(request, response, { region, callers, requests, failWith: state.failWith });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get failWith() {
      return state.failWith;
    },
    set failWith(status) {
      state.failWith = status;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface AnswerOptions {
  readonly region: string;
  readonly callers: readonly KnownCaller[];
  readonly requests: string[];
  readonly failWith: number | undefined;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { region, callers, requests, failWith }: AnswerOptions,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks).toString("utf8");
  requests.push(`${request.method} ${request.url} ${body}`);
  const caller = callers.find((known) => isSignedBy(known, request, body, region));
  if (failWith !== undefined) response.writeHead(failWith).end("<ErrorResponse/>");
  else if (caller === undefined) response.writeHead(403).end("<ErrorResponse/>");
  else response.writeHead(200, { "content-type": "text/xml" }).end(identityXml(caller.arn));
}

function isSignedBy(
  { credentials }: KnownCaller,
  request: IncomingMessage,
  body: string,
  region: string,
): boolean {
  const { authorization = "" } = request.headers;
  const date = String(request.headers["x-amz-date"]);
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const again = signRequest(
    {
      method: "POST",
      url: new URL(`https://sts.${region}.amazonaws.com/`),
      headers: {
        "content-type": String(request.headers["content-type"]),
        "x-entrepot-deployment": String(request.headers["x-entrepot-deployment"]),
      },
      body,
      region,
      service: "sts",
      nowMs: Date.parse(iso),
    },
    credentials,
  );
  return again["authorization"] === authorization;
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html#API_GetCallerIdentity_Examples */
function identityXml(arn: string): string {
  const account = arn.split(":")[4] ?? "";
  return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>${arn}</Arn>
    <UserId>AROA123EXAMPLE123:run</UserId>
    <Account>${account}</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>
`;
}
