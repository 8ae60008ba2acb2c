import { isDefined } from "../../shared/domain/defined.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import type { Leaf, Route } from "../../shared/services/views/routes.ts";
import { packageKey, toPackage } from "../../shared/records/packages.ts";
import type { ClientPlugin } from "./client-metadata.ts";
import {
  MAX_INDEX_ROWS,
  type PluginRow,
  pluginsQuery,
  putPluginOp,
  toPlugin,
} from "./index-rows.ts";
import { parsePackageName } from "./layout.ts";
import { METADATA_REQUEST, readGroupPlugins } from "./upstream-metadata.ts";
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
  const known = await readPlugins(services, grant.registry.id, group);
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

/** Refusals for which not even the name of an artifact may get out. */
const KEPT_FROM: ReadonlySet<Route["refusal"]> = new Set(["external-blocked", "owned-by-source"]);

/**
 * The plugins of a group that the caller may see, of all registries behind this one: the first that has a prefix or an
 * artifact decides what it stands for. A plugin must come from a registry that is asked for its name. `packageName`: the
 * artifact that the group's path is too, whose name is kept from upstreams that must not be asked for it.
 */
export async function findPlugins(
  services: Services,
  grant: RegistryGrant,
  group: string,
  packageName: string | undefined,
): Promise<readonly PluginRow[]> {
  const { views } = services;
  const plugins: PluginRow[] = [];
  const ofArtifact =
    packageName === undefined ? [] : await views.routes(grant.registry, packageName);
  // No package has this name; patterns of the group match it.
  const ofGroup = await views.routes(grant.registry, `${group}:*`);
  for (const [position, { leaf, refusal }] of ofGroup.entries()) {
    const asArtifact = ofArtifact[position]?.refusal ?? "";
    if (refusal !== "" || KEPT_FROM.has(asArtifact)) continue;
    const found =
      leaf.upstream === undefined
        ? await storedPlugins(services, leaf.registry.id, group)
        : await upstreamPlugins(services, grant, leaf, group);
    for (const row of found) {
      const isTaken = plugins.some(
        ({ artifact, prefix }) => artifact === row.artifact || prefix === row.prefix,
      );
      if (!isTaken && grant.may("packages:read", row.packageName)) plugins.push(row);
    }
  }
  return plugins;
}

/** Those that have not been deleted. */
async function storedPlugins(
  services: Services,
  registryId: string,
  group: string,
): Promise<readonly PluginRow[]> {
  const rows = await readPlugins(services, registryId, group);
  const keys = rows.map(({ packageName }) => packageKey(registryId, packageName));
  const packages = (await services.stores.table.getMany(keys)).filter(isDefined).map(toPackage);
  const active = new Set(
    packages.filter(({ state }) => state === "active").map(({ name }) => name),
  );
  return rows.filter(({ packageName }) => active.has(packageName));
}

async function upstreamPlugins(
  { views }: Services,
  grant: RegistryGrant,
  leaf: Leaf,
  group: string,
): Promise<readonly PluginRow[]> {
  const body = await views.upstreamDocument(leaf, `${group}:*`, {
    name: "plugins",
    path: `/${group.replaceAll(".", "/")}/maven-metadata.xml`,
    headers: METADATA_REQUEST,
    check: (document) => void readGroupPlugins(document, group),
  });
  const plugins = body === undefined ? [] : readGroupPlugins(body, group).slice(0, MAX_INDEX_ROWS);
  const asked = await Promise.all(
    plugins.map(async ({ packageName }) => {
      const routes = await views.routes(grant.registry, packageName);
      return routes.some(
        (route) => route.leaf.registry.id === leaf.registry.id && route.refusal === "",
      );
    }),
  );
  return plugins.filter((_, position) => asked[position] === true);
}

async function readPlugins(
  { stores }: Services,
  registryId: string,
  group: string,
): Promise<readonly PluginRow[]> {
  const page = await stores.table.query(pluginsQuery(registryId, group));
  return page.items.map(toPlugin);
}
