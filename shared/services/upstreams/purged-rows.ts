import type { Item, Table, WriteOp } from "../../ports/table.ts";
import { packagePartition } from "../../records/packages.ts";
import { copyKind, toUpstreamCopy } from "../../records/upstream-copies.ts";
import { tryWrite } from "../conditional-write.ts";
import { queryAll } from "../queries.ts";
import { referenceRemovals } from "../row-references.ts";

/** A document and what is known of it are two rows or one, and a blob's reference. */
const UNITS_A_TRANSACTION = 30;
/** Who fetches anew between our look and our write keeps what it fetched. */
const MAX_TRIES = 5;

/** Rows that belong together, to go in one transaction, as they were read. */
type Unit = readonly WriteOp[];

/**
 * Removes the documents of a package in a proxy: copies of the upstream's and what was made of them. Gives how many
 * copies went.
 */
export async function dropDocuments(
  table: Table,
  registryId: string,
  packageName: string,
): Promise<number> {
  const pk = packagePartition(registryId, packageName);
  let count = 0;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const [copies, documents] = await Promise.all(
      ["U#", "D#"].map((prefix) => queryAll(table, (page) => ({ pk, range: { prefix }, ...page }))),
    );
    const units = unitsOf(copies ?? [], documents ?? []);
    let isDone = true;
    for (let start = 0; isDone && start < units.length; start += UNITS_A_TRANSACTION) {
      const batch = units.slice(start, start + UNITS_A_TRANSACTION);
      isDone = await tryWrite(table, batch.flat());
      if (isDone) count += batch.filter(([first]) => first !== undefined && isCopy(first)).length;
    }
    if (isDone) return count;
  }
  return count;
}

const isCopy = (op: WriteOp): boolean => op.op === "delete" && op.key.sk.startsWith("U#");

/** A copy goes together with its document: who finds the one must find the other. */
function unitsOf(copies: readonly Item[], documents: readonly Item[]): readonly Unit[] {
  const left = new Map(documents.map((item) => [item.key.sk, item]));
  const units = copies.map((item): Unit => {
    const sk = `D#${copyKind(toUpstreamCopy(item).name)}`;
    const document = left.get(sk);
    left.delete(sk);
    return [
      removal(item, "checkedAtMs"),
      ...(document === undefined ? [] : documentRemovals(document)),
    ];
  });
  return [...units, ...[...left.values()].map(documentRemovals)];
}

const documentRemovals = (item: Item): readonly WriteOp[] => [
  removal(item, "etag"),
  ...referenceRemovals(item),
];

function removal({ key, attributes }: Item, attribute: string): WriteOp {
  const value = attributes[attribute];
  if (typeof value !== "string" && typeof value !== "number") {
    throw new Error(`${key.sk} has no ${attribute}`);
  }
  return { op: "delete", key, conditions: [{ kind: "equals", attribute, value }] };
}
