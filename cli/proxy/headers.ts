/** Headers of one connection: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
/** The realm of a challenge, which names the remote as its clients see it. */
const REALM = /\brealm="[a-z]+:\/\/[^/"]+\/v2\/_token"/;

/** What the remote gets to see. Credentials of the client's own come before ours. */
export function requestHeaders(from: Headers, token: string | undefined): Headers {
  const headers = new Headers(from);
  // `fetch` finds out host and length by itself, and would unpack an answer in another encoding.
  for (const name of [...HOP_BY_HOP, "host", "content-length", "expect"]) headers.delete(name);
  headers.set("accept-encoding", "identity");
  if (!headers.has("authorization") && token !== undefined) {
    headers.set("authorization", `Bearer ${token}`);
  }
  return headers;
}

/**
 * What the client gets to see: uploads and tokens of the remote are at the proxy, downloads from its blob storage
 * are where they are.
 */
export function responseHeaders(
  from: Headers,
  { url, status, own }: { readonly url: string; readonly status: number; readonly own: string },
): Headers {
  const headers = new Headers(from);
  for (const name of HOP_BY_HOP) headers.delete(name);
  const location = headers.get("location");
  if (location !== null && URL.canParse(location, url)) {
    const target = new URL(location, url);
    const isElsewhere = (status >= 300 && status < 400) || target.origin !== new URL(url).origin;
    headers.set("location", isElsewhere ? target.href : target.pathname + target.search);
  }
  const challenge = headers.get("www-authenticate");
  if (challenge !== null) {
    headers.set("www-authenticate", challenge.replace(REALM, `realm="${own}/v2/_token"`));
  }
  return headers;
}
