import type { Command } from "commander";
import type * as z from "zod";
import { list, type ListOptions } from "../client/pages.ts";
import { formatTable } from "../client/text.ts";
import { listOptions, noteMore, openSession } from "./session.ts";

interface Listing<T> extends Omit<ListOptions, "limit" | "cursor"> {
  readonly item: z.ZodType<T>;
  readonly heads: readonly string[];
  readonly row: (item: T) => readonly string[];
  /** Said in place of an empty table; absent: its heads say it. */
  readonly none?: string;
}

/** Prints a list of the server's, as far as `--limit`, `--cursor` and `--all` say. @throws {CliError} */
export async function printList<T>(command: Command, listing: Listing<T>): Promise<void> {
  const { item, heads, row, none, ...request } = listing;
  const session = openSession(command);
  const api = await session.connect();
  const found = await list(api, item, { ...request, ...listOptions(command) });
  session.output.result(found, () =>
    none !== undefined && found.items.length === 0
      ? none
      : formatTable(heads, found.items.map(row)),
  );
  noteMore(session.output, found.nextCursor);
}
