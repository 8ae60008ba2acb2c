import type { Measurement } from "../../measure/measurement.ts";
import type { MavenServer } from "../servers.ts";

export interface Round {
  /** Counted from 0. */
  readonly number: number;
  /** For loads that run for a time. */
  readonly durationMs: number;
  /** How many artifacts are deployed. */
  readonly artifacts: number;
  /** Numbers of versions of the artifacts that there are. */
  readonly versions: readonly number[];
  /** Sizes of the jars that there are. */
  readonly jarBytes: readonly number[];
}

/** One kind of work, given to one server after the other. */
export interface Load {
  /** Chooses it on the command line. */
  readonly name: string;
  readonly run: (server: MavenServer, round: Round) => Promise<readonly Measurement[]>;
}
