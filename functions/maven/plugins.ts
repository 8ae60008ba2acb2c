import { isDefined } from "../../shared/domain/defined.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import { packageKey, toPackage } from "../../shared/records/packages.ts";
import type { ClientPlugin } from "./client-metadata.ts";
import { type PluginRow, pluginsQuery, putPluginOp, toPlugin } from "./index-rows.ts";
import { parsePackageName } from "./layout.ts";
import { factsOf } from "./version-facts.ts";

/**
 * Takes over prefixes from the metadata of a group, of which a client sends all that it has seen: only for plugins
 * that are in the registry, that the caller may write to, and only what is new.
 */
export async function registerPlugins(
  services: Services,
  grant: RegistryGrant,
  group: string,
  plugins: readonly ClientPlugin[],
): Promise<void> {
  if (plugins.length === 0) return;
  const known = await readPlugins(services, grant, group);
  for (const { artifactId: artifact, prefix, name } of plugins) {
    if (known.some((row) => row.artifact === artifact && row.prefix === prefix)) continue;
    const packageName = parsePackageName(`${group}:${artifact}`);
    if (!grant.may("packages:write", packageName)) continue;
    if (!(await isPlugin(services, grant, packageName))) continue;
    const row = { packageName, artifact, prefix, name };
    await services.stores.table.write([putPluginOp(grant.registry.id, group, row)]);
  }
}

async function isPlugin(
  { catalogue }: Services,
  grant: RegistryGrant,
  packageName: string,
): Promise<boolean> {
  const page = await catalogue.listVersions(grant, packageName, { limit: 5 });
  return page.items.some(({ metadata }) => factsOf(metadata).packaging === "maven-plugin");
}

/** The plugins of a group that the caller may see and that have not been deleted. */
export async function findPlugins(
  services: Services,
  grant: RegistryGrant,
  group: string,
): Promise<readonly PluginRow[]> {
  const rows = (await readPlugins(services, grant, group)).filter(({ packageName }) =>
    grant.may("packages:read", packageName),
  );
  const keys = rows.map(({ packageName }) => packageKey(grant.registry.id, packageName));
  const packages = (await services.stores.table.getMany(keys)).filter(isDefined).map(toPackage);
  const active = new Set(
    packages.filter(({ state }) => state === "active").map(({ name }) => name),
  );
  return rows.filter(({ packageName }) => active.has(packageName));
}

async function readPlugins(
  { stores }: Services,
  grant: RegistryGrant,
  group: string,
): Promise<readonly PluginRow[]> {
  const page = await stores.table.query(pluginsQuery(grant.registry.id, group));
  return page.items.map(toPlugin);
}
