import { InvalidInputError } from "../../errors.ts";
import { needsSecret, type Upstream } from "../../domain/upstream.ts";
import { addressProblem, literalAddress } from "../../addresses.ts";

/** A header of the request that carries more than a secret, or that the connection is run by. */
const NOT_FOR_SECRETS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "keep-alive",
  "range",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
]);
const HEADER_NAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
/** What a header can hold without a change on the way. */
const HEADER_TEXT = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;
const DOMAIN = /^[a-z][a-z0-9-]{0,48}[a-z0-9]$/;

/**
 * The URL of an upstream as it is kept: without slashes at its end.
 *
 * @param ownOrigin Of this deployment, which is no upstream of its own.
 * @throws {InvalidInputError}
 */
export function parseUpstreamUrl(text: string, allowPrivate: boolean, ownOrigin: string): string {
  const problem = urlProblem(text, allowPrivate, ownOrigin);
  if (problem !== undefined) {
    throw new InvalidInputError(`The URL of the upstream ${problem}.`, [{ at: "/url", problem }]);
  }
  return new URL(text).href.replace(/\/+$/, "");
}

function urlProblem(text: string, allowPrivate: boolean, ownOrigin: string): string | undefined {
  if (!URL.canParse(text)) return "is not a URL";
  const url = new URL(text);
  const isHttp = url.protocol === "http:";
  if (!isHttp && url.protocol !== "https:") return "must start with https://";
  if (isHttp && !allowPrivate) return "must start with https:// (allowPrivate also allows http://)";
  if (url.username !== "" || url.password !== "") {
    return "must not hold a user name or password; choose an auth, and send the secret apart";
  }
  // An empty one is not seen in the parts, and would be in the middle of every path.
  if (/[?#]/.test(text)) return "must not have a query or fragment";
  if (url.origin === ownOrigin) {
    return "is this deployment's own; name its registries in a composite instead";
  }
  const address = literalAddress(url);
  const problem = address === undefined ? undefined : addressProblem(address, allowPrivate);
  return problem === undefined ? undefined : `leads to ${address}, which ${problem}`;
}

/** Whether the parts of an upstream's authentication are such as can be sent. @throws {InvalidInputError} */
export function checkAuth({ auth, sealedSecret }: Upstream, secret: string | undefined): void {
  const wrong = (at: string, problem: string): InvalidInputError =>
    new InvalidInputError(`The authentication of the upstream is not valid: ${at} ${problem}.`, [
      { at, problem },
    ]);
  if (needsSecret(auth) && sealedSecret === "" && secret === undefined) {
    throw wrong(
      "/secret",
      `is missing; auth "${auth.kind}" needs it, and needs it again where the server or the auth changes`,
    );
  }
  if (!needsSecret(auth) && secret !== undefined) {
    throw wrong("/secret", `is of no use with auth "${auth.kind}"`);
  }
  if (secret !== undefined && auth.kind !== "basic" && !HEADER_TEXT.test(secret)) {
    throw wrong("/secret", "holds characters that a header cannot: use printable ASCII");
  }
  if (auth.kind === "basic" && auth.username.includes(":")) {
    throw wrong("/auth/username", "must not hold a colon");
  }
  if (auth.kind === "header") {
    const isFree = HEADER_NAME.test(auth.name) && !NOT_FOR_SECRETS.has(auth.name.toLowerCase());
    if (!isFree) throw wrong("/auth/name", "is not the name of a header that can hold a secret");
  }
  if (auth.kind !== "aws") return;
  if (!REGION.test(auth.region)) throw wrong("/auth/region", "is not a region of AWS");
  if (auth.roleArn !== "" && !ROLE_ARN.test(auth.roleArn)) {
    throw wrong("/auth/roleArn", "is not the ARN of a role");
  }
  const isCodeArtifact = auth.service === "codeartifact";
  if (isCodeArtifact !== DOMAIN.test(auth.domain)) {
    throw wrong(
      "/auth/domain",
      isCodeArtifact ? "must name CodeArtifact's domain" : "is for CodeArtifact only",
    );
  }
  if (auth.domainOwner !== "" && !(isCodeArtifact && /^\d{12}$/.test(auth.domainOwner))) {
    throw wrong("/auth/domainOwner", "is not the account of a CodeArtifact domain");
  }
}
