import { createHash } from "node:crypto";
import { InvalidCursorError, type Query } from "./table.ts";
import { checkKey } from "./table-limits.ts";
import { type Bounds, checkWithinBounds } from "./table-range.ts";

/** Where a page ended: the last item read, whether or not it was returned. */
export interface Position {
  /** The sort key by which the page is ordered: the item's, or its index entry's. */
  readonly sk: string;
  /** The item's own key, for pages of the index; index keys are not unique. */
  readonly item?: { readonly pk: string; readonly sk: string };
}

// Above the base64url of the longest keys; a longer text is not worth decoding.
const MAX_CURSOR_CHARACTERS = 12_000;
const FINGERPRINT_CHARACTERS = 22;

/**
 * A cursor holds a fingerprint of its query and a position without the partition. It is not signed: a
 * forged one is at worst a different position inside the same query.
 */
export function encodeCursor(query: Query, position: Position): string {
  const fields =
    position.item === undefined ? [position.sk] : [position.sk, position.item.pk, position.item.sk];
  return fingerprint(query) + Buffer.from(fields.join("\0"), "utf8").toString("base64url");
}

/**
 * The position in a cursor of this very query; `limit` alone may differ between pages.
 *
 * @throws {InvalidCursorError} on anything that {@link encodeCursor} would not have made for this query, and
 *   on a position outside `bounds`.
 */
export function decodeCursor(query: Query, cursor: string, bounds: Bounds): Position {
  if (cursor.length > MAX_CURSOR_CHARACTERS || !cursor.startsWith(fingerprint(query))) {
    throw new InvalidCursorError();
  }
  const fields = Buffer.from(cursor.slice(FINGERPRINT_CHARACTERS), "base64url")
    .toString("utf8")
    .split("\0");
  const position = positionOf(query, fields);
  checkWithinBounds(position.sk, bounds);
  // Node decodes base64url and UTF-8 leniently; only the one canonical text is accepted.
  if (encodeCursor(query, position) !== cursor) throw new InvalidCursorError();
  return position;
}

function positionOf(query: Query, fields: readonly string[]): Position {
  const [sk, itemPk, itemSk] = fields;
  try {
    if (sk === undefined) throw new InvalidCursorError();
    checkKey({ pk: query.pk, sk });
    if (query.index !== true) {
      if (fields.length !== 1) throw new InvalidCursorError();
      return { sk };
    }
    if (itemPk === undefined || itemSk === undefined || fields.length !== 3) {
      throw new InvalidCursorError();
    }
    checkKey({ pk: itemPk, sk: itemSk });
    return { sk, item: { pk: itemPk, sk: itemSk } };
  } catch {
    throw new InvalidCursorError();
  }
}

function fingerprint(query: Query): string {
  const range = query.range ?? {};
  const parts = [
    query.pk,
    query.index === true,
    query.descending === true,
    range.prefix ?? null,
    range.from ?? null,
    range.to ?? null,
    range.after ?? null,
    range.before ?? null,
  ];
  return createHash("sha256")
    .update(JSON.stringify(parts))
    .digest("base64url")
    .slice(0, FINGERPRINT_CHARACTERS);
}
