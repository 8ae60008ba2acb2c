import type { JsonObject } from "../domain/json.ts";
import { parseJsonObject } from "../domain/json.ts";
import type { Item, Query, WriteOp } from "../ports/table.ts";
import { text } from "./attributes.ts";
import { packagePartition } from "./packages.ts";
import type { PageOptions } from "./pages.ts";

/** A version that says it is about another: a signature, an SBOM, an attestation. */
export interface Referrer {
  readonly version: string;
  readonly artifactType: string;
  /** How the list of referrers describes it. */
  readonly descriptor: JsonObject;
}

const prefixOf = (subject: string): string => `X#${subject}#`;

/** The subject need not exist. */
export const putReferrerOp = (
  registryId: string,
  packageName: string,
  subject: string,
  referrer: Referrer,
): WriteOp => ({
  op: "put",
  item: {
    key: {
      pk: packagePartition(registryId, packageName),
      sk: prefixOf(subject) + referrer.version,
    },
    attributes: {
      version: referrer.version,
      artifactType: referrer.artifactType,
      descriptor: JSON.stringify(referrer.descriptor),
    },
  },
});

export const removeReferrerOp = (
  registryId: string,
  packageName: string,
  subject: string,
  version: string,
): WriteOp => ({
  op: "delete",
  key: { pk: packagePartition(registryId, packageName), sk: prefixOf(subject) + version },
});

export const toReferrer = (item: Item): Referrer => ({
  version: text(item, "version"),
  artifactType: text(item, "artifactType"),
  descriptor: parseJsonObject(text(item, "descriptor")),
});

/** Everything that is about `subject`, whatever the state of its version. */
export const listReferrersQuery = (
  registryId: string,
  packageName: string,
  subject: string,
  options: PageOptions & { readonly after?: string },
): Query => {
  const { after, ...page } = options;
  const prefix = prefixOf(subject);
  return {
    pk: packagePartition(registryId, packageName),
    range: after === undefined ? { prefix } : { prefix, after: prefix + after },
    ...page,
  };
};
