import {
  isJsonObject,
  type JsonObject,
  parseJsonObject,
  property,
} from "../../shared/domain/json.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import { readBody } from "../../shared/services/outbound-body.ts";
import type { Services } from "../../shared/services/services.ts";
import type { Leaf } from "../../shared/services/views/routes.ts";

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * What the upstreams behind a registry find, in their own order, each package once. A search resolves nothing, so that an upstream that does not answer is
 * passed over, and names that are not asked for there are not shown from there.
 */
export async function searchUpstreams(
  services: Services,
  grant: RegistryGrant,
  asked: { readonly text: string; readonly size: number },
): Promise<readonly JsonObject[]> {
  const leaves = await services.views.leaves(grant.registry);
  const found = await Promise.all(leaves.map((leaf) => ask(services, leaf, asked)));
  const finds = new Map<string, JsonObject>();
  for (const [position, objects] of found.entries()) {
    for (const object of objects) {
      const name = nameOf(object);
      if (name === "" || finds.has(name) || !grant.may("packages:read", name)) continue;
      const routes = await services.views.routes(grant.registry, name);
      if (routes[position]?.refusal === "") finds.set(name, object);
    }
  }
  return [...finds.values()];
}

async function ask(
  { upstreamClient, stores }: Services,
  { upstream }: Leaf,
  { text, size }: { readonly text: string; readonly size: number },
): Promise<readonly JsonObject[]> {
  if (upstream === undefined || upstream.offline || text === "" || size === 0) return [];
  try {
    const query = new URLSearchParams({ text, size: String(size) });
    const answer = await upstreamClient.send(upstream, {
      target: `/-/v1/search?${query.toString()}`,
      headers: { accept: "application/json", "accept-encoding": "gzip" },
      maxBodyBytes: MAX_ANSWER_BYTES,
    });
    if (answer.status !== 200) throw await upstreamClient.refusal(upstream, answer);
    return findsIn(await readBody(answer, MAX_ANSWER_BYTES));
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    stores.log.warn("npm.upstream-search", { upstream: upstream.key, why });
    return [];
  }
}

function findsIn(body: Uint8Array): readonly JsonObject[] {
  const objects = property(parseJsonObject(Buffer.from(body).toString("utf8")), "objects");
  if (!Array.isArray(objects)) throw new SyntaxError("it has no list of finds");
  return objects.filter(isJsonObject);
}

/** Of a find; empty when it has none. */
export function nameOf(object: JsonObject): string {
  const pkg = property(object, "package");
  const name = isJsonObject(pkg) ? property(pkg, "name") : undefined;
  return typeof name === "string" ? name : "";
}
