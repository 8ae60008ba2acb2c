import type { LoadScale, ProtocolLoad } from "../../protocol-bench.ts";
import type { MavenServer } from "../servers.ts";

interface Scale extends LoadScale {
  /** How many artifacts are deployed. */
  readonly artifacts: number;
  /** Numbers of versions of the artifacts that there are. */
  readonly versions: readonly number[];
  /** Sizes of the jars that there are. */
  readonly jarBytes: readonly number[];
}

export type Load = ProtocolLoad<MavenServer, Scale>;
