import { HTML_TYPE, V1_HTML_TYPE, V1_JSON_TYPE } from "./render.ts";

/** Media types of the simple API, and what is answered for each. */
const OFFERS: ReadonlyMap<string, string> = new Map([
  [V1_JSON_TYPE, V1_JSON_TYPE],
  ["application/vnd.pypi.simple.latest+json", V1_JSON_TYPE],
  [V1_HTML_TYPE, V1_HTML_TYPE],
  ["application/vnd.pypi.simple.latest+html", V1_HTML_TYPE],
  ["text/html", HTML_TYPE],
  ["text/*", HTML_TYPE],
  ["*/*", HTML_TYPE],
]);
const MAX_PARTS = 20;

/**
 * The content type to answer with (PEP 691). Of types that the client likes as well as each other the first of its list
 * wins; without any that is offered it gets `text/html`, as the public index does.
 */
export function chooseType(accept: string | undefined): string {
  let best = { type: HTML_TYPE, quality: 0 };
  for (const part of (accept ?? "").split(",").slice(0, MAX_PARTS)) {
    const [name = "", ...parameters] = part.split(";");
    const type = OFFERS.get(name.trim().toLowerCase());
    const q = parameters.find((parameter) => /^\s*q=/i.test(parameter));
    const quality = q === undefined ? 1 : Number(q.slice(q.indexOf("=") + 1));
    if (type !== undefined && quality > best.quality) best = { type, quality };
  }
  return best.type;
}
