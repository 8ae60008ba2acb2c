import * as z from "zod";

/** Digests that a tag is remembered to have pointed at. */
const MAX_MOVES = 20;

/** What an upstream's tag points at, and since when we know that it moved there. */
export interface TagMove {
  readonly digest: string;
  /** Unix milliseconds; 0 for what it pointed at when it was first asked for. */
  readonly movedAtMs: number;
}

const schema = z.array(z.object({ digest: z.string(), movedAtMs: z.number() }));

/** The newest first. */
export const parseTagHistory = (body: Uint8Array): readonly TagMove[] =>
  schema.parse(JSON.parse(new TextDecoder().decode(body)));

export const renderTagHistory = (moves: readonly TagMove[]): Uint8Array =>
  Buffer.from(JSON.stringify(moves.slice(0, MAX_MOVES)));
