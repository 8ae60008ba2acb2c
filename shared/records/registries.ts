import { ECOSYSTEMS, REGISTRY_KINDS, type Registry, VISIBILITIES } from "../domain/registry.ts";
import { NO_ROUTING, type PackageRule, type Routing, type RuleSubject } from "../domain/routing.ts";
import { isJsonObject, type JsonObject } from "../domain/json.ts";
import { sortableMs } from "../domain/identifiers.ts";
import type { Item, Key, PutOp, Query, WriteOp } from "../ports/table.ts";
import { flag, number, strings, text, word } from "./attributes.ts";
import type { PageOptions } from "./pages.ts";

export const registryKey = (slug: string): Key => ({ pk: `REGISTRY#${slug}`, sk: "REGISTRY" });

/** The row of a registry; stands in the index by slug. */
export function registryItem(registry: Registry): Item {
  const { policies, routing, ...rest } = registry;
  const { packageRules, ...plain } = routing;
  return {
    key: registryKey(registry.slug),
    index: { pk: "REGISTRIES", sk: registry.slug },
    attributes: { ...rest, ...policies, ...plain, packageRules: JSON.stringify(packageRules) },
  };
}

export function toRegistry(item: Item): Registry {
  return {
    id: text(item, "id"),
    slug: text(item, "slug"),
    ecosystem: word(item, "ecosystem", ECOSYSTEMS),
    kind: word(item, "kind", REGISTRY_KINDS),
    visibility: word(item, "visibility", VISIBILITIES),
    description: text(item, "description"),
    emoji: text(item, "emoji"),
    colour: text(item, "colour"),
    labels: strings(item, "labels"),
    policies: {
      mutableFiles: flag(item, "mutableFiles"),
      restoreDays: number(item, "restoreDays"),
      maxFileBytes: number(item, "maxFileBytes"),
      // Rows of before there were such policies do not have them.
      immutableTags: "immutableTags" in item.attributes && flag(item, "immutableTags"),
      mutableTags: "mutableTags" in item.attributes ? strings(item, "mutableTags") : [],
      snapshotBuilds: "snapshotBuilds" in item.attributes ? number(item, "snapshotBuilds") : 0,
      snapshotDays: "snapshotDays" in item.attributes ? number(item, "snapshotDays") : 0,
    },
    routing: toRouting(item),
    createdAtMs: number(item, "createdAtMs"),
    updatedAtMs: number(item, "updatedAtMs"),
  };
}

/** Rows of before there were other kinds than sources have none of it. */
function toRouting(item: Item): Routing {
  if (!("proxyOf" in item.attributes)) return NO_ROUTING;
  return {
    proxyOf: text(item, "proxyOf"),
    upstreams: strings(item, "upstreams"),
    official: text(item, "official"),
    publishTo: text(item, "publishTo"),
    packageRules: parseRules(text(item, "packageRules")),
    minimumAgeDays: number(item, "minimumAgeDays"),
    minimumAgeExempt: strings(item, "minimumAgeExempt"),
  };
}

function parseRules(json: string): readonly PackageRule[] {
  const rules: unknown = JSON.parse(json);
  if (!Array.isArray(rules)) throw new SyntaxError("expected a list of rules");
  return rules.filter(isJsonObject).map((rule) => ({
    pattern: typeof rule["pattern"] === "string" ? rule["pattern"] : "",
    ...decision(rule, "publish"),
    ...decision(rule, "internal"),
    ...decision(rule, "external"),
  }));
}

function decision(rule: JsonObject, subject: RuleSubject): Partial<PackageRule> {
  const said = rule[subject];
  return said === "allow" || said === "block" ? { [subject]: said } : {};
}

/** @throws at `write` when the slug is taken. */
export const createRegistryOp = (registry: Registry): PutOp => ({
  op: "put",
  item: registryItem(registry),
  conditions: [{ kind: "absent" }],
});

/** Replaces the registry that was read; fails when it changed since, or is another of the same slug. */
export const replaceRegistryOp = (registry: Registry, readUpdatedAtMs: number): PutOp => ({
  op: "put",
  item: registryItem(registry),
  conditions: [
    { kind: "equals", attribute: "id", value: registry.id },
    { kind: "equals", attribute: "updatedAtMs", value: readUpdatedAtMs },
  ],
});

export const listRegistriesQuery = (options: PageOptions): Query => ({
  pk: "REGISTRIES",
  index: true,
  ...options,
});

/** Registries whose packages the worker has still to reclaim. */
const RECLAIM_PARTITION = "RECLAIM-REGISTRIES";

const deletedRegistryKey = (id: string): Key => ({ pk: `DELETED-REGISTRY#${id}`, sk: "REGISTRY" });

/** Frees the slug and leaves a row by which the worker finds the packages, due from `reclaimAtMs` on. */
export const deleteRegistryOps = (registry: Registry, reclaimAtMs: number): readonly WriteOp[] => [
  {
    op: "delete",
    key: registryKey(registry.slug),
    conditions: [{ kind: "equals", attribute: "id", value: registry.id }],
  },
  {
    op: "put",
    item: {
      ...registryItem(registry),
      key: deletedRegistryKey(registry.id),
      index: { pk: RECLAIM_PARTITION, sk: `${sortableMs(reclaimAtMs)}#${registry.id}` },
    },
  },
];

export const reclaimableRegistriesQuery = (nowMs: number, limit: number): Query => ({
  pk: RECLAIM_PARTITION,
  index: true,
  range: { before: sortableMs(nowMs) },
  limit,
});

/** The last row of a deleted registry. */
export const forgetRegistryOp = (id: string): WriteOp => ({
  op: "delete",
  key: deletedRegistryKey(id),
});
