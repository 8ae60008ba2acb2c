import { Parser } from "htmlparser2";
import {
  isJsonObject,
  type Json,
  type JsonObject,
  parseJsonObject,
  property,
} from "../../shared/domain/json.ts";
import type { DocumentOrigin } from "../../shared/services/views/listing.ts";
import { normalize } from "./names.ts";

/** Ten times the largest pages of the public index; parsed, it takes many times as much memory. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
/** What people publish or once published under a project; only wheels and sdists of them are used. */
const ARCHIVE = /\.(?:whl|zip|egg|exe|msi|rpm|deb|dmg|tgz|tar\.(?:gz|bz2|xz|z))$/i;
/** Some nightly builds have more than ten thousand. */
const MAX_LINKS = 50_000;
/** What a page tells of its project in `<meta name="pypi:…">`. */
const META = "pypi:";

/**
 * A project's page as the object of PEP 691, whatever it is written in.
 *
 * @throws {SyntaxError} when it is no page of this project in a version of the API that we know.
 */
export function readPage(
  body: Uint8Array,
  { packageName, url, contentType }: DocumentOrigin,
): JsonObject {
  if (body.length > MAX_PAGE_BYTES) {
    throw new SyntaxError(`it is larger than ${MAX_PAGE_BYTES / 1024 ** 2} MiB`);
  }
  const text = Buffer.from(body).toString("utf8");
  // A page that `dateFiles` wrote anew is JSON, whatever it was before.
  const isJson = /\bjson\b/i.test(contentType) || text.startsWith("{");
  if (!isJson && !/\bhtml\b/i.test(contentType)) {
    throw new SyntaxError(
      `its content type is neither JSON nor HTML, but "${contentType.slice(0, 100)}"`,
    );
  }
  const page = isJson ? parseJsonObject(text) : readHtmlPage(text, url);
  const meta = property(page, "meta");
  const version = isJsonObject(meta) ? property(meta, "api-version") : undefined;
  if (typeof version !== "string" || !/^1(?:\.\d+)*$/.test(version)) {
    throw new SyntaxError("it is of no version 1.x of the simple API");
  }
  const name = property(page, "name") ?? packageName;
  if (typeof name !== "string" || normalize(name) !== packageName) {
    throw new SyntaxError(`it is not of ${packageName}`);
  }
  if (!isList(property(page, "files"))) throw new SyntaxError("it lists no files");
  return page;
}

/** The files of a page that {@link readPage} read. */
export function filesOn(page: JsonObject): readonly Json[] {
  const files = property(page, "files");
  return isList(files) ? files : [];
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/**
 * A project's page in HTML (PEP 503 and those after it) as the object of PEP 691 that says the same. Links are relative
 * to `url`, or to the page's own `<base>`; what they lead to has the name that they end in.
 *
 * @throws {SyntaxError} when it breaks off, or is no page of a simple API.
 */
function readHtmlPage(text: string, url: string): JsonObject {
  const page = scanPage(text);
  if (page.isOpen || text.lastIndexOf("<") > text.lastIndexOf(">")) {
    throw new SyntaxError("the page breaks off");
  }
  const baseUrl = URL.parse(page.base, url)?.href ?? url;
  const files = page.links.map((link) => fileOf(link, baseUrl));
  if (files.length > 0 && !files.some(({ filename }) => ARCHIVE.test(filename))) {
    throw new SyntaxError(
      "no link on the page leads to a distribution; is the URL a simple API's?",
    );
  }
  const first = (name: string): string | undefined => page.metas.get(META + name)?.[0];
  const reason = first("project-status-reason");
  return {
    meta: {
      "api-version": first("repository-version") ?? "1.0",
      tracks: page.metas.get(`${META}tracks`) ?? [],
    },
    "alternate-locations": page.metas.get(`${META}alternate-locations`) ?? [],
    "project-status": {
      status: first("project-status") ?? "active",
      ...(reason === undefined ? {} : { reason }),
    },
    files,
  };
}

type Attributes = Readonly<Record<string, string>>;

interface Page {
  /** Attributes of the links, in order. */
  readonly links: readonly Attributes[];
  readonly metas: ReadonlyMap<string, readonly string[]>;
  readonly base: string;
  /** It began a document or a link that it did not end. */
  readonly isOpen: boolean;
}

function scanPage(text: string): Page {
  const links: Attributes[] = [];
  const metas = new Map<string, string[]>();
  const open = new Set<string>();
  let base = "";
  const parser = new Parser({
    onopentag: (tag, attributes) => {
      if (tag === "a" && attributes["href"] !== undefined) links.push(attributes);
      if (links.length > MAX_LINKS) throw new SyntaxError(`it has more than ${MAX_LINKS} links`);
      if (tag === "base" && base === "") base = attributes["href"] ?? "";
      const name = attributes["name"]?.toLowerCase() ?? "";
      if (tag === "meta" && name.startsWith(META)) {
        metas.set(name, [...(metas.get(name) ?? []), attributes["content"] ?? ""]);
      }
      if (tag === "a" || tag === "html" || tag === "body") open.add(tag);
    },
    onclosetag: (tag, isImplied) => {
      if (!isImplied) open.delete(tag);
      // Whoever ends the document has ended the body.
      if (!isImplied && tag === "html") open.delete("body");
      if (!isImplied && tag === "body") open.delete("html");
    },
  });
  parser.end(text);
  return { links, metas, base, isOpen: open.size > 0 };
}

/** A link's object of PEP 691. */
function fileOf(attributes: Attributes, baseUrl: string): JsonObject & { filename: string } {
  const link = URL.parse(attributes["href"]?.trim() ?? "", baseUrl);
  const metadata = attributes["data-core-metadata"] ?? attributes["data-dist-info-metadata"] ?? "";
  const signature = attributes["data-gpg-sig"];
  const uploaded = attributes["data-upload-time"];
  return {
    filename: decoded(link?.pathname.split("/").at(-1) ?? ""),
    url: link?.href ?? "",
    hashes: hashIn(link?.hash.slice(1) ?? ""),
    "requires-python": attributes["data-requires-python"] ?? null,
    // An empty attribute yanks without a reason; in JSON an empty text would not.
    yanked: attributes["data-yanked"] === "" || (attributes["data-yanked"] ?? false),
    "core-metadata": /^true$/i.test(metadata) || hashOrNone(metadata),
    provenance: attributes["data-provenance"] ?? null,
    ...(signature === undefined ? {} : { "gpg-sig": /^true$/i.test(signature) }),
    // No specification has it, and some mirrors do.
    ...(uploaded === undefined ? {} : { "upload-time": uploaded }),
  };
}

/** `sha256=…`, alone or among others as in `egg=demo&sha256=…`. */
function hashIn(fragment: string): JsonObject {
  const pair = fragment.split("&").find((part) => /^(?:md5|sha\d{1,3}|blake2b_256)=/.test(part));
  const [name = "", digest = ""] = pair?.split("=", 2) ?? [];
  return pair === undefined ? {} : { [name]: digest };
}

function hashOrNone(text: string): JsonObject | false {
  const hashes = hashIn(text);
  return Object.keys(hashes).length === 0 ? false : hashes;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
