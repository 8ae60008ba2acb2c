import type { Upstream } from "../../domain/upstream.ts";

export interface UpstreamDirectory {
  find(key: string): Promise<Upstream | undefined>;
}
