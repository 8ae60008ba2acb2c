import type { FixtureName } from "../fixtures/seed.ts";
import { drive, type Drive } from "../load/drive.ts";
import { type Measurement, measure } from "../measure/measurement.ts";
import type { BenchServer, ServerName } from "../servers/server.ts";

export interface Round {
  /** Counted from 0; loads that create names make new ones in each round. */
  readonly number: number;
  /** For loads that run for a time. */
  readonly durationMs: number;
  /** For loads that run for a number of requests. */
  readonly requests: number;
}

/** One kind of work, given to one server after the other. */
export interface Load {
  /** Chooses it on the command line. */
  readonly name: string;
  readonly fixtures: readonly FixtureName[];
  /** The servers that can do it. */
  readonly servers: readonly ServerName[];
  readonly run: (server: BenchServer, round: Round) => Promise<readonly Measurement[]>;
}

/** Drives a server, after a warm-up where the load lasts for a time. */
export async function measureDrive(
  name: string,
  server: Pick<BenchServer, "port" | "pid">,
  options: Omit<Drive, "port">,
): Promise<readonly Measurement[]> {
  const { port, pid } = server;
  const { durationMs } = options;
  // The first requests of a kind run before the server's code for it is compiled.
  if (durationMs !== undefined) await drive({ ...options, port, durationMs: durationMs / 4 });
  return measure(name, pid, () => drive({ ...options, port }));
}
