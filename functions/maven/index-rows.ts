import type { Item, PutOp, Query } from "../../shared/ports/table.ts";
import { text } from "../../shared/records/attributes.ts";

/** A plugin that `mvn <prefix>:goal` finds by its group. */
export interface PluginRow {
  readonly packageName: string;
  readonly artifact: string;
  readonly prefix: string;
  readonly name: string;
}

/** A version that `mvn archetype:generate` offers. */
export interface ArchetypeRow {
  readonly packageName: string;
  readonly version: string;
  readonly description: string;
}

/** What one document holds at most. */
export const MAX_INDEX_ROWS = 1000;

const pluginPartition = (registryId: string, group: string): string =>
  `MAVEN#${registryId}#PLUGINS#${group}`;
const archetypePartition = (registryId: string): string => `MAVEN#${registryId}#ARCHETYPES`;

/** One row per plugin: deploys of two plugins of a group at once do not meet. */
export const putPluginOp = (registryId: string, group: string, plugin: PluginRow): PutOp => ({
  op: "put",
  item: {
    key: { pk: pluginPartition(registryId, group), sk: plugin.artifact },
    attributes: { ...plugin },
  },
});

export const pluginsQuery = (registryId: string, group: string): Query => ({
  pk: pluginPartition(registryId, group),
  limit: MAX_INDEX_ROWS,
});

export const toPlugin = (item: Item): PluginRow => ({
  packageName: text(item, "packageName"),
  artifact: text(item, "artifact"),
  prefix: text(item, "prefix"),
  name: text(item, "name"),
});

export const putArchetypeOp = (registryId: string, archetype: ArchetypeRow): PutOp => ({
  op: "put",
  item: {
    key: {
      pk: archetypePartition(registryId),
      sk: `${archetype.packageName}#${archetype.version}`,
    },
    attributes: { ...archetype },
  },
});

export const archetypesQuery = (registryId: string): Query => ({
  pk: archetypePartition(registryId),
  limit: MAX_INDEX_ROWS,
});

export const toArchetype = (item: Item): ArchetypeRow => ({
  packageName: text(item, "packageName"),
  version: text(item, "version"),
  description: text(item, "description"),
});
