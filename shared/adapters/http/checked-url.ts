import { addressProblem, literalAddress } from "../../addresses.ts";
import { OutboundError } from "../../ports/outbound-http.ts";

export interface UrlRules {
  /** Loopback, private networks and plain http are fine. */
  readonly allowPrivate: boolean;
  /** Refused although private addresses are allowed. */
  readonly closedPorts: readonly number[];
}

/**
 * A URL that may be fetched as far as can be told from how it is written, without its fragment. Where its name leads is
 * judged when it is looked up. `base`: the URL whose answer redirects to it.
 *
 * @throws {OutboundError} `malformed` when it is no URL, `refused-address` when it may not be fetched.
 */
export function checkedUrl(text: string, rules: UrlRules, base?: URL): URL {
  if (!URL.canParse(text, base?.href)) {
    const words = base === undefined ? "the URL is none" : `${base.host} redirects to no URL`;
    throw new OutboundError("malformed", words);
  }
  const url = new URL(text, base);
  const problem = urlProblem(url, rules);
  if (problem !== undefined) {
    const from = base === undefined ? "" : `${base.host} redirects to where we do not go: `;
    throw new OutboundError("refused-address", from + problem);
  }
  url.hash = "";
  return url;
}

function urlProblem(url: URL, { allowPrivate, closedPorts }: UrlRules): string | undefined {
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return `${url.protocol} is neither https: nor http:`;
  }
  if (url.protocol === "http:" && !allowPrivate) return `${url.host} would be without TLS`;
  if (url.username !== "" || url.password !== "") {
    return `the URL of ${url.host} holds a user name or password`;
  }
  // Without private addresses loopback is refused, whatever the port.
  if (allowPrivate && closedPorts.includes(Number(url.port))) return `port ${url.port} is closed`;
  const address = literalAddress(url);
  const problem = address === undefined ? undefined : addressProblem(address, allowPrivate);
  return problem === undefined ? undefined : `${address} ${problem}`;
}
