import { createHash } from "node:crypto";

/** What the page of a web login shows. */
export type LoginPage =
  | { readonly kind: "form"; readonly client: string; readonly problem: string }
  | { readonly kind: "done"; readonly client: string }
  | { readonly kind: "gone" };

const STYLE = `
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;margin:0;display:grid;place-items:center;min-height:100vh}
main{box-sizing:border-box;width:min(28rem,100%);padding:2rem}
h1{font-size:1.4rem;margin:0 0 1rem}
label{display:block;font-weight:600;margin-top:1.5rem}
input{box-sizing:border-box;width:100%;font:inherit;padding:.6rem;margin-top:.3rem;border:1px solid GrayText;border-radius:.4rem}
button{font:inherit;font-weight:600;margin-top:1.2rem;padding:.6rem 1.4rem;border:0;border-radius:.4rem;background:#0b5cad;color:#fff;cursor:pointer}
:focus-visible{outline:3px solid #0b5cad;outline-offset:2px}
.problem{border-left:4px solid #b3261e;padding:.4rem .8rem;margin:1rem 0 0}
small{display:block;margin-top:1.5rem;color:GrayText}
`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** No scripts, no frames, nothing from elsewhere; the form goes back to us only. */
export const PAGE_HEADERS: Record<string, string> = {
  "content-security-policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** The page as HTML; `baseUrl` is the host that the user is about to trust. */
export function renderLoginPage(page: LoginPage, baseUrl: string): string {
  const host = escapeHtml(baseUrl.replace(/^https?:\/\//, ""));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${TITLES[page.kind]} - Entrepot</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${TITLES[page.kind]}</h1>
${content(page, host)}
</main>
</body>
</html>
`;
}

const TITLES: Readonly<Record<LoginPage["kind"], string>> = {
  form: "Log in to the registry",
  done: "You are logged in",
  gone: "This login is over",
};

function content(page: LoginPage, host: string): string {
  if (page.kind === "gone") {
    return "<p>It has expired, or was used already. Start again in your terminal.</p>";
  }
  const client = escapeHtml(page.client);
  if (page.kind === "done") {
    return `<p><strong>${client}</strong> has its own token for <strong>${host}</strong> now. You can close this page and go back to your terminal.</p>`;
  }
  const described = page.problem === "" ? "hint" : "problem hint";
  return `<p><strong>${client}</strong> asks for access to <strong>${host}</strong>. Go on only if you have just started this login yourself.</p>
${page.problem === "" ? "" : `<p class="problem" id="problem" role="alert">${escapeHtml(page.problem)}</p>`}
<form method="post">
<label for="token">Your Entrepot token</label>
<input id="token" name="token" type="password" required autofocus autocomplete="off" spellcheck="false" aria-describedby="${described}">
<button type="submit">Log in</button>
<small id="hint">The client gets a token of its own with the same rights, for 90 days at most. Yours is not passed on.</small>
</form>`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES.get(character) ?? "");
}
