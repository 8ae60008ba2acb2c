import type { Tag } from "../domain/package.ts";
import type { Item, Key, Query, WriteOp } from "../ports/table.ts";
import { number, text } from "./attributes.ts";
import { packagePartition } from "./packages.ts";
import type { PageOptions } from "./pages.ts";

export const tagKey = (registryId: string, packageName: string, tag: string): Key => ({
  pk: packagePartition(registryId, packageName),
  sk: `T#${tag}`,
});

export function toTag(item: Item): Tag {
  return {
    name: text(item, "name"),
    version: text(item, "version"),
    updatedAtMs: number(item, "updatedAtMs"),
  };
}

export const putTagOp = (registryId: string, packageName: string, tag: Tag): WriteOp => ({
  op: "put",
  item: { key: tagKey(registryId, packageName, tag.name), attributes: { ...tag } },
});

export const deleteTagOp = (registryId: string, packageName: string, tag: string): WriteOp => ({
  op: "delete",
  key: tagKey(registryId, packageName, tag),
});

export const listTagsQuery = (
  registryId: string,
  packageName: string,
  options: PageOptions & { readonly after?: string },
): Query => {
  const { after, ...page } = options;
  return {
    pk: packagePartition(registryId, packageName),
    range: after === undefined ? { prefix: "T#" } : { prefix: "T#", after: `T#${after}` },
    ...page,
  };
};
