import type { Query, WriteOp } from "../ports/table.ts";

/** Terms of one registry that start with the same two characters share a partition. */
const termPartition = (registryId: string, term: string): string =>
  `R#${registryId}#TERM#${term.slice(0, 2)}`;

export const addTermOp = (registryId: string, term: string, packageName: string): WriteOp => ({
  op: "put",
  item: {
    key: { pk: termPartition(registryId, term), sk: `${term}#${packageName}` },
    attributes: { packageName },
  },
});

export const removeTermOp = (registryId: string, term: string, packageName: string): WriteOp => ({
  op: "delete",
  key: { pk: termPartition(registryId, term), sk: `${term}#${packageName}` },
});

/** Rows of packages with a term that starts with `prefix` (at least two characters). */
export const termsQuery = (
  registryId: string,
  prefix: string,
  limit: number,
  cursor?: string,
): Query => ({
  pk: termPartition(registryId, prefix),
  range: { prefix },
  limit,
  ...(cursor === undefined ? {} : { cursor }),
});
