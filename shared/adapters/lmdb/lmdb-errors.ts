import {
  ConditionFailedError,
  InvalidCursorError,
  ItemTooLargeError,
  KeyTooLargeError,
  TableUnavailableError,
} from "../../ports/table.ts";

/** Runs a read and turns lmdb's failures into {@link TableUnavailableError}; the port's own errors pass. */
export function orUnavailable<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (isOfThePort(error)) throw error;
    throw new TableUnavailableError("the LMDB files cannot be read", { cause: error });
  }
}

/** The same for a commit: the disk may be full, or the files may have gone. Nothing was written then. */
export async function orCommitFailed<Result>(commit: Promise<Result>): Promise<Result> {
  try {
    return await commit;
  } catch (error) {
    if (isOfThePort(error)) throw error;
    throw new TableUnavailableError("the LMDB transaction was not committed", {
      cause: await reasonOf(error),
    });
  }
}

function isOfThePort(error: unknown): boolean {
  return (
    error instanceof ConditionFailedError ||
    error instanceof ItemTooLargeError ||
    error instanceof KeyTooLargeError ||
    error instanceof InvalidCursorError ||
    error instanceof TypeError
  );
}

// lmdb rejects a failed commit with an Error whose `commitError` is a promise that rejects with the reason;
// left alone, that second rejection would end the process as an unhandled one.
async function reasonOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (reason) {
    return reason;
  }
}
