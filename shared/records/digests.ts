import type { Digests } from "../domain/digest.ts";
import type { Item } from "../ports/table.ts";
import { text } from "./attributes.ts";

/** The digests of a row that holds each under its own name. */
export const digestsOf = (item: Item): Digests => ({
  md5: text(item, "md5"),
  sha1: text(item, "sha1"),
  sha256: text(item, "sha256"),
  sha512: text(item, "sha512"),
});
