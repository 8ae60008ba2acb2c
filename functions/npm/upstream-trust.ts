import {
  isJsonObject,
  type JsonObject,
  parseJsonObject,
  property,
} from "../../shared/domain/json.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import type { Leaf } from "../../shared/services/views/routes.ts";

/** No package of npm's has this name: what an upstream says of itself is kept under it. */
const REGISTRY_ITSELF = "-";
const JSON_HEADERS = { accept: "application/json" } as const;

/** The public keys that the upstreams behind a registry sign with, as their `/-/npm/v1/keys` says. */
export async function upstreamKeys(
  { views }: Services,
  grant: RegistryGrant,
): Promise<readonly JsonObject[]> {
  const leaves = await views.leaves(grant.registry);
  const answers = await Promise.all(
    leaves.map((leaf) =>
      views.upstreamDocument(leaf, REGISTRY_ITSELF, {
        name: "keys",
        path: "/-/npm/v1/keys",
        headers: JSON_HEADERS,
        check: (body) => void keysIn(body),
      }),
    ),
  );
  return answers.flatMap((body) => (body === undefined ? [] : keysIn(body)));
}

function keysIn(body: Uint8Array): readonly JsonObject[] {
  const keys = property(parseJsonObject(Buffer.from(body).toString("utf8")), "keys");
  if (!Array.isArray(keys)) throw new SyntaxError("it has no list of keys");
  return keys.filter(isJsonObject);
}

/** The attestations of a proxied version, as the upstream has them; `undefined` when it has none. */
export async function upstreamAttestations(
  { views }: Services,
  leaf: Leaf,
  packageName: string,
  version: string,
): Promise<JsonObject | undefined> {
  const body = await views.upstreamDocument(leaf, packageName, {
    name: `attestations-${version}`,
    path: `/-/npm/v1/attestations/${packageName.replace("/", "%2f")}@${version}`,
    headers: JSON_HEADERS,
    check: (text) => void parseJsonObject(Buffer.from(text).toString("utf8")),
  });
  return body === undefined ? undefined : parseJsonObject(Buffer.from(body).toString("utf8"));
}
