import { createHash } from "node:crypto";
import { html, raw } from "hono/html";

interface Link {
  readonly name: string;
  readonly href: string;
}

/** A table of things, the first column of which links to each. All text is unescaped: rendering escapes it. */
export interface ListingPage {
  readonly title: string;
  /** The way here from the registry, outermost first. */
  readonly parents: readonly Link[];
  /** Heads of the columns: one more than each row has `cells`. */
  readonly columns: readonly string[];
  readonly rows: readonly (Link & { readonly cells: readonly string[] })[];
  /** What is to be known of the whole; absent for nothing. */
  readonly note?: string;
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
nav ol { list-style: none; display: flex; flex-wrap: wrap; gap: 0 .5rem; padding: 0; margin: 0; }
nav li + li::before { content: "/"; margin-right: .5rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem 1rem .4rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); vertical-align: top; }
tbody th { font-weight: normal; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
a { color: LinkText; }
`;

/** Nothing runs and nothing is loaded but the style above, known by its hash. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256")
  .update(STYLE)
  .digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** `next` is the URL of the next page, if there is one. */
export function renderPage(page: ListingPage, next: string | undefined) {
  const { title, parents, columns, rows, note } = page;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<nav aria-label="Breadcrumb"><ol>${parents.map(({ name, href }) => html`<li><a href="${href}">${name}</a></li>`)}<li aria-current="page">${title}</li></ol></nav>
<main>
<h1>${title}</h1>
${note === undefined ? "" : html`<p>${note}</p>`}
${rows.length === 0 ? html`<p>There is nothing here yet.</p>` : table(columns, rows)}
${next === undefined ? "" : html`<p><a rel="next" href="${next}">Next page</a></p>`}
</main>
</body>
</html>
`;
}

function table(columns: ListingPage["columns"], rows: ListingPage["rows"]) {
  return html`<div class="table" role="region" aria-label="Listing" tabindex="0"><table>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ({
    name,
    href,
    cells,
  }) => html`<tr><th scope="row"><a href="${href}">${name}</a></th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
)}</tbody>
</table></div>`;
}
