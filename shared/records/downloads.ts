import type { Key, WriteOp } from "../ports/table.ts";
import { packagePartition } from "./packages.ts";

export const downloadsKey = (registryId: string, packageName: string, version: string): Key => ({
  pk: packagePartition(registryId, packageName),
  sk: `C#${version}`,
});

/** Adds to the attribute `count`. */
export const countDownloadsOp = (key: Key, count: number): WriteOp => ({
  op: "update",
  key,
  add: { count },
});
