import { isDefined } from "../../shared/domain/defined.ts";
import { isAvailable } from "../../shared/domain/package.ts";
import { toVersion, versionKey } from "../../shared/records/versions.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import type { Leaf } from "../../shared/services/views/routes.ts";
import { type ArchetypeRow, archetypesQuery, MAX_INDEX_ROWS, toArchetype } from "./index-rows.ts";
import { renderArchetypes } from "./render.ts";

/**
 * `archetype-catalog.xml` of the source registries here. Catalogues of upstreams are not taken in: the public one is
 * large, and what build tools do with it works without.
 */
export async function archetypeCatalog(
  services: Services,
  grant: RegistryGrant,
): Promise<Uint8Array> {
  const leaves = await services.views.leaves(grant.registry);
  const found = await Promise.all(
    leaves
      .filter(({ upstream }) => upstream === undefined)
      .map((leaf) => archetypesOf(services, grant, leaf)),
  );
  const rows = new Map<string, ArchetypeRow>();
  for (const row of found.flat()) {
    const name = `${row.packageName}#${row.version}`;
    if (!rows.has(name)) rows.set(name, row);
  }
  return Buffer.from(renderArchetypes([...rows.values()].slice(0, MAX_INDEX_ROWS)));
}

/** Of versions that the caller may see and that have not been deleted. */
async function archetypesOf(
  { stores, views }: Services,
  grant: RegistryGrant,
  { registry }: Leaf,
): Promise<readonly ArchetypeRow[]> {
  const page = await stores.table.query(archetypesQuery(registry.id));
  const rows = page.items
    .map(toArchetype)
    .filter(({ packageName }) => grant.may("packages:read", packageName));
  const keys = rows.map(({ packageName, version }) =>
    versionKey(registry.id, packageName, version),
  );
  const versions = (await stores.table.getMany(keys)).filter(isDefined).map(toVersion);
  const there = new Set(
    versions.filter(isAvailable).map(({ packageName, version }) => `${packageName}#${version}`),
  );
  const asked = await Promise.all(
    rows.map(async ({ packageName }) => {
      if (grant.registry.kind === "source") return true;
      const routes = await views.routes(grant.registry, packageName);
      return routes.some(({ leaf, refusal }) => leaf.registry.id === registry.id && refusal === "");
    }),
  );
  return rows.filter(
    ({ packageName, version }, position) =>
      asked[position] === true && there.has(`${packageName}#${version}`),
  );
}
