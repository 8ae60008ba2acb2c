import { AddressRefusedError } from "../../addresses.ts";
import { OutboundError, type OutboundErrorKind } from "../../ports/outbound-http.ts";

/** What Node's codes begin with; OpenSSL's for certificates (`SELF_SIGNED_CERT_IN_CHAIN`) have no common start. */
const KINDS: readonly (readonly [pattern: RegExp, kind: OutboundErrorKind])[] = [
  [/^(ENOTFOUND|ERR_PROXY_|EAI_|ECONNREFUSED|EHOST|ENET|EADDRNOTAVAIL)/, "unreachable"],
  [/^ETIMEDOUT$/, "timeout"],
  [/^(ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_)/, "reset"],
  [/^(ERR_TLS_|ERR_SSL_|EPROTO|HOSTNAME_|INVALID_)|CERT|CRL|ISSUER|SIGNATURE/, "tls"],
  [/^(HPE_|ERR_)/, "malformed"],
];

const WORDS: Readonly<Record<OutboundErrorKind, string>> = {
  unreachable: "cannot be reached",
  "refused-address": "may not be spoken to",
  tls: "has no TLS that is trusted",
  timeout: "did not answer in time",
  redirects: "redirects too often",
  "too-large": "sends too much",
  truncated: "ended its answer before its length",
  reset: "broke the connection",
  malformed: "does not speak HTTP as it should",
};

/** What a socket, TLS or Node's HTTP parser reported, as the port's error; one of ours stays as it is. */
export function explainFailure(host: string, error: unknown): OutboundError {
  if (error instanceof OutboundError) return error;
  if (error instanceof AddressRefusedError) {
    return new OutboundError("refused-address", error.message);
  }
  const code = codeOf(error);
  if (code === "ERR_INVALID_CHAR") {
    const words = `a header for ${host} holds a character that cannot be sent`;
    return new OutboundError("malformed", words, { cause: error });
  }
  const kind = KINDS.find(([pattern]) => pattern.test(code))?.[1] ?? "unreachable";
  return new OutboundError(kind, `${host} ${WORDS[kind]}${code && ` (${code})`}`, { cause: error });
}

/** Node's or OpenSSL's code of an error, empty without. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}
