import { NetworkError, systemCode } from "./failures.ts";

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (connection refused)",
  ECONNRESET: "the connection was closed in the middle",
  EPIPE: "the connection was closed in the middle",
  UND_ERR_SOCKET: "the connection was closed in the middle",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name server does not answer",
  ETIMEDOUT: "no answer in time",
  UND_ERR_CONNECT_TIMEOUT: "no answer in time",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_BODY_TIMEOUT: "the answer stopped in the middle",
};

/**
 * Says why a request did not reach the server, and what to do. `url` is shown without path and query:
 * tickets carry signatures there.
 */
export function networkFailure(url: string, cause: unknown): NetworkError {
  const { origin } = new URL(url);
  const code = systemCode(cause);
  const reason = isTimeout(cause)
    ? "no answer in time"
    : (REASONS[code] ?? reasonText(cause, code));
  return new NetworkError(`Cannot reach ${origin}: ${reason}.`, {
    hint: hintFor(code, cause),
    cause,
  });
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "TimeoutError";
}

function reasonText(cause: unknown, code: string): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const text = inner instanceof Error ? inner.message : String(inner);
  return text === "" ? code : text;
}

function hintFor(code: string, cause: unknown): string {
  if (code === "ECONNREFUSED") {
    return "Start a server with: entrepot serve\nOr name another one: --url <url>, ENTREPOT_URL, or entrepot login <url>";
  }
  if (code.includes("CERT") || code.includes("SELF_SIGNED") || code.includes("UNABLE_TO")) {
    return "If the server uses a certificate of your own authority, name it: NODE_EXTRA_CA_CERTS=<file.pem>";
  }
  if (reasonText(cause, code).includes("wrong version number")) {
    return "The server seems to speak http, not https; check the URL.";
  }
  return "Check the URL and your network, then try again.";
}
