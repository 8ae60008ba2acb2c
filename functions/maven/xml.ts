import { XMLParser } from "fast-xml-parser";
import * as z from "zod";
import { InvalidInputError } from "../../shared/errors.ts";

const MAX_DEPTH = 60;

// Entities stay as they are: expanding them is what makes small files large.
const parser = new XMLParser({
  ignoreAttributes: true,
  processEntities: false,
  parseTagValue: false,
  trimValues: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/**
 * The elements of a small document as nested objects; text as it is, an element that comes twice as an array.
 *
 * @param what - begins the sentence of a refusal: `The POM`.
 * @throws {InvalidInputError} for what is not XML, too deep, or has a document type, which none of ours needs.
 */
export function parseXml(bytes: Uint8Array, what: string): unknown {
  const text = decode(bytes, what);
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) {
    throw invalid(what, "has a document type declaration, which is refused; remove it");
  }
  requireWellFormed(text, what);
  try {
    return parser.parse(text);
  } catch {
    throw invalid(what, "cannot be read as XML");
  }
}

function decode(bytes: Uint8Array, what: string): string {
  // POMs of the last century are in Latin-1 and say so; what matters to us is the same in both.
  const head = Buffer.from(bytes.subarray(0, 100)).toString("latin1");
  const isLatin1 = /encoding=["'](?:iso-8859-\d+|latin-?1|windows-1252|us-ascii)["']/i.test(head);
  try {
    return new TextDecoder(isLatin1 ? "latin1" : "utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid(what, "is not UTF-8");
  }
}

/** How markup that is no element begins and ends. */
const ASIDES: readonly (readonly [string, string])[] = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
];

/** The parser repairs what is broken and follows any depth; here both are refused, in one pass. */
function requireWellFormed(text: string, what: string): void {
  const open: string[] = [];
  let roots = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    const aside = ASIDES.find(([begin]) => text.startsWith(begin, at));
    const close = aside?.[1] ?? ">";
    const end = text.indexOf(close, at + (aside?.[0].length ?? 1));
    if (end < 0) throw invalid(what, `is not XML: "${text.slice(at, at + 40)}" does not end`);
    const [, slash, name = ""] =
      /^<(\/?)([A-Za-z_][\w.:-]{0,200})(?=[\s/>])/.exec(text.slice(at, at + 220)) ?? [];
    const isEmpty = text[end - 1] === "/";
    at = end + close.length;
    if (aside !== undefined) continue;
    if (name === "") throw invalid(what, "is not XML: a < is followed by no name");
    if (slash === "/") {
      if (open.pop() !== name) throw invalid(what, `is not XML: </${name}> closes another element`);
      continue;
    }
    if (open.length === 0) roots += 1;
    if (!isEmpty && open.push(name) > MAX_DEPTH) {
      throw invalid(what, `is nested deeper than ${MAX_DEPTH} elements`);
    }
  }
  if (roots !== 1 || open.length > 0) throw invalid(what, "is not XML with one root element");
}

/** What is in `<outer><inner/>…</outer>`: none, one and many look different to a parser. */
export function entriesOf(outer: unknown, inner: string): readonly unknown[] {
  const parsed = z.looseObject({ [inner]: z.unknown().optional() }).safeParse(outer);
  const found: unknown = parsed.success ? parsed.data[inner] : undefined;
  if (Array.isArray(found)) return found;
  return found === undefined ? [] : [found];
}

function invalid(what: string, problem: string): InvalidInputError {
  return new InvalidInputError(`${what} ${problem}.`, [{ at: "body", problem: "invalid" }]);
}
