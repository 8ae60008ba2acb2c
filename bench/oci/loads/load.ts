import { drive, type Drive } from "../../load/drive.ts";
import { type Measurement, measure } from "../../measure/measurement.ts";
import type { LoadScale, ProtocolLoad } from "../../protocol-bench.ts";
import type { Fixture } from "../fixtures.ts";
import type { OciServer } from "../servers.ts";

interface Scale extends LoadScale {
  /** Sizes of blobs in bytes. */
  readonly blobBytes: readonly number[];
  /** Bytes of a size that are pushed in parallel at most; more would only measure the disk, for minutes. */
  readonly maxPushBytes: number;
  readonly requests: number;
  readonly tags: number;
}

export type Load = ProtocolLoad<OciServer, Scale, Fixture>;

/** `1 MB` and the like, for names of cases. */
export const sizeName = (bytes: number): string =>
  bytes >= 1e9 ? `${bytes / 1e9} GB` : `${bytes / 1e6} MB`;

/** Drives a server with requests. */
export async function measureRequests(
  name: string,
  { pid, port }: OciServer,
  options: Omit<Drive, "port">,
): Promise<readonly Measurement[]> {
  return measure(name, pid, () => drive({ ...options, port }));
}
