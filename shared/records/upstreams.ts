import { ECOSYSTEMS } from "../domain/registry.ts";
import {
  AWS_REGISTRY_SERVICES,
  UPSTREAM_AUTHS,
  type Upstream,
  type UpstreamAuth,
} from "../domain/upstream.ts";
import type { Attributes, Item, Key, PutOp, Query, WriteOp } from "../ports/table.ts";
import { flag, number, strings, text, word } from "./attributes.ts";
import type { PageOptions } from "./pages.ts";

export const upstreamKey = (key: string): Key => ({ pk: `UPSTREAM#${key}`, sk: "UPSTREAM" });

/** The row of an upstream; stands in the index by key. */
function upstreamItem(upstream: Upstream): Item {
  const { auth, ...rest } = upstream;
  return {
    key: upstreamKey(upstream.key),
    index: { pk: "UPSTREAMS", sk: upstream.key },
    attributes: { ...rest, ...authAttributes(auth) },
  };
}

const authAttributes = ({ kind, ...rest }: UpstreamAuth): Attributes => ({
  auth: kind,
  ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [`auth-${name}`, value])),
});

export function toUpstream(item: Item): Upstream {
  return {
    id: text(item, "id"),
    key: text(item, "key"),
    ecosystem: word(item, "ecosystem", ECOSYSTEMS),
    url: text(item, "url"),
    description: text(item, "description"),
    auth: toAuth(item),
    sealedSecret: text(item, "sealedSecret"),
    timeoutMs: number(item, "timeoutMs"),
    allowPrivate: flag(item, "allowPrivate"),
    offline: flag(item, "offline"),
    include: strings(item, "include"),
    exclude: strings(item, "exclude"),
    documentTtlSeconds: number(item, "documentTtlSeconds"),
    missingTtlSeconds: number(item, "missingTtlSeconds"),
    maxFileBytes: number(item, "maxFileBytes"),
    createdAtMs: number(item, "createdAtMs"),
    updatedAtMs: number(item, "updatedAtMs"),
  };
}

function toAuth(item: Item): UpstreamAuth {
  const kind = word(item, "auth", UPSTREAM_AUTHS);
  switch (kind) {
    case "none":
    case "bearer":
      return { kind };
    case "basic":
      return { kind, username: text(item, "auth-username") };
    case "header":
      return { kind, name: text(item, "auth-name") };
    case "aws":
      return {
        kind,
        service: word(item, "auth-service", AWS_REGISTRY_SERVICES),
        region: text(item, "auth-region"),
        roleArn: text(item, "auth-roleArn"),
        domain: text(item, "auth-domain"),
        domainOwner: text(item, "auth-domainOwner"),
      };
  }
  throw new Error(`unknown kind ${JSON.stringify(kind satisfies never)}`);
}

/** @throws at `write` when the key is taken. */
export const createUpstreamOp = (upstream: Upstream): PutOp => ({
  op: "put",
  item: upstreamItem(upstream),
  conditions: [{ kind: "absent" }],
});

/** Replaces the upstream that was read; fails when it changed since, or is another of the same key. */
export const replaceUpstreamOp = (upstream: Upstream, readUpdatedAtMs: number): PutOp => ({
  op: "put",
  item: upstreamItem(upstream),
  conditions: [
    { kind: "equals", attribute: "id", value: upstream.id },
    { kind: "equals", attribute: "updatedAtMs", value: readUpdatedAtMs },
  ],
});

export const deleteUpstreamOp = (upstream: Upstream): WriteOp => ({
  op: "delete",
  key: upstreamKey(upstream.key),
  conditions: [{ kind: "equals", attribute: "id", value: upstream.id }],
});

export const listUpstreamsQuery = (options: PageOptions): Query => ({
  pk: "UPSTREAMS",
  index: true,
  ...options,
});
