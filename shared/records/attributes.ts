import type { Item, Value } from "../ports/table.ts";

/** A row that does not have the shape its kind promises: a bug or a damaged table, never the caller's fault. */
export class CorruptRecordError extends Error {
  override readonly name = "CorruptRecordError";
  constructor(item: Item, attribute: string) {
    super(`row ${item.key.pk} ${item.key.sk} has no valid attribute "${attribute}"`);
  }
}

function read<T extends Value>(
  item: Item,
  attribute: string,
  accepts: (value: Value) => value is T,
): T {
  const value = item.attributes[attribute];
  if (value === undefined || !accepts(value)) throw new CorruptRecordError(item, attribute);
  return value;
}

const isString = (value: Value): value is string => typeof value === "string";
const isNumber = (value: Value): value is number => typeof value === "number";
const isBoolean = (value: Value): value is boolean => typeof value === "boolean";
const isBytes = (value: Value): value is Uint8Array => value instanceof Uint8Array;
const isStrings = (value: Value): value is readonly string[] =>
  Array.isArray(value) && value.every((element) => typeof element === "string");

/** Readers of one attribute. @throws {CorruptRecordError} when it is absent or of another type. */
export const text = (item: Item, attribute: string): string => read(item, attribute, isString);
export const number = (item: Item, attribute: string): number => read(item, attribute, isNumber);
export const flag = (item: Item, attribute: string): boolean => read(item, attribute, isBoolean);
export const bytes = (item: Item, attribute: string): Uint8Array => read(item, attribute, isBytes);
export const strings = (item: Item, attribute: string): readonly string[] =>
  read(item, attribute, isStrings);

/** One of a closed set of words. @throws {CorruptRecordError} */
export function word<const W extends string>(
  item: Item,
  attribute: string,
  words: readonly W[],
): W {
  const value = item.attributes[attribute];
  const found = words.find((candidate) => candidate === value);
  if (found === undefined) throw new CorruptRecordError(item, attribute);
  return found;
}

/** Words of a closed set; unknown ones (written by a newer version) are left out. */
export function words<const W extends string>(
  item: Item,
  attribute: string,
  known: readonly W[],
): readonly W[] {
  const values = strings(item, attribute);
  return known.filter((candidate) => values.includes(candidate));
}
