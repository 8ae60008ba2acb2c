import { parseArgs } from "node:util";
import { SERVER_NAMES, type ServerName } from "./servers/server.ts";

export interface BenchOptions {
  /** Names of loads; empty for all. */
  readonly loads: readonly string[];
  readonly servers: readonly ServerName[];
  /** For trying things out: one short round, a smaller package; its figures prove nothing. */
  readonly quick: boolean;
  readonly rounds: number;
  readonly durationMs: number;
  readonly requests: number;
}

/** Reads the command line. @throws {TypeError} for flags that do not exist, {Error} for unknown servers. */
export function parseOptions(args: readonly string[]): BenchOptions {
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
  return {
    loads: positionals,
    servers:
      values.servers === undefined ? SERVER_NAMES : values.servers.split(",").map(serverName),
    quick,
    rounds: Number(values.rounds ?? (quick ? 1 : 3)),
    durationMs: Number(values.seconds ?? (quick ? 0.5 : 2)) * 1000,
    requests: quick ? 24 : 96,
  };
}

function serverName(text: string): ServerName {
  const name = SERVER_NAMES.find((known) => known === text);
  if (name === undefined) {
    throw new Error(`There is no server "${text}"; there are ${SERVER_NAMES.join(", ")}.`);
  }
  return name;
}
