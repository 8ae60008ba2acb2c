import type { Upstream } from "../../domain/upstream.ts";

export interface UpstreamCredentials {
  of(upstream: Upstream): Promise<Readonly<Record<string, string>>>;
}
