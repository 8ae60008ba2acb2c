import { parseArgs } from "node:util";

export interface BenchOptions<ServerName extends string> {
  /** Names of loads; empty for all. */
  readonly loads: readonly string[];
  readonly servers: readonly ServerName[];
  /** For trying things out: one short round, a smaller package; its figures prove nothing. */
  readonly quick: boolean;
  readonly rounds: number;
  readonly durationMs: number;
  readonly requests: number;
}

/**
 * Reads the command line: `[loads…] [--servers a,b] [--rounds 3] [--seconds 2] [--quick]`.
 *
 * @throws {TypeError} for flags that do not exist, {Error} for unknown loads and servers.
 */
export function parseOptions<ServerName extends string>(
  args: readonly string[],
  known: { readonly loads: readonly string[]; readonly servers: readonly ServerName[] },
): BenchOptions<ServerName> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      servers: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
    },
  });
  const { quick } = values;
  for (const name of positionals) oneOf("load", name, known.loads);
  return {
    loads: positionals,
    servers:
      values.servers?.split(",").map((name) => oneOf("server", name, known.servers)) ??
      known.servers,
    quick,
    rounds: Number(values.rounds ?? (quick ? 1 : 3)),
    durationMs: Number(values.seconds ?? (quick ? 0.5 : 2)) * 1000,
    requests: quick ? 24 : 96,
  };
}

function oneOf<Name extends string>(kind: string, text: string, names: readonly Name[]): Name {
  const name = names.find((known) => known === text);
  if (name !== undefined) return name;
  throw new Error(`There is no ${kind} "${text}"; there are ${names.join(", ")}.`);
}

/** Whether a load was asked for. */
export const isChosen = ({ loads }: BenchOptions<string>, name: string): boolean =>
  loads.length === 0 || loads.includes(name);
