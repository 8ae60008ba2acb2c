import { ConditionFailedError, type Table, type WriteOp } from "../ports/table.ts";

/** Whether a transaction was written: not when one of its conditions failed, because somebody else was faster. */
export async function tryWrite(table: Table, ops: readonly WriteOp[]): Promise<boolean> {
  try {
    await table.write(ops);
    return true;
  } catch (error) {
    if (error instanceof ConditionFailedError) return false;
    throw error;
  }
}
