import type { ServiceOptions } from "../../../shared/services/services.ts";
import type { MisbehavingUpstream } from "../../support/misbehaving-upstream.ts";
import { createProxy } from "../../support/upstreams.ts";
import { type ApiClient, openApi } from "./client.ts";

/** The API with the proxy `mirror` of an upstream of npm packages. */
export async function openNpmMirror(
  upstream: MisbehavingUpstream,
  options?: Partial<ServiceOptions>,
): Promise<ApiClient> {
  const api = await openApi(options);
  await createProxy(api.registry, { slug: "mirror", ecosystem: "npm", url: upstream.url });
  return api;
}
