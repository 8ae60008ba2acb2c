import * as z from "zod";
import type { Item, Table } from "../../ports/table.ts";
import { listReferrersQuery, type Referrer, toReferrer } from "../../records/referrers.ts";
import { tagKey, toTag } from "../../records/tags.ts";
import { isAvailableRow, versionKey } from "../../records/versions.ts";

/** What something about an image is to people. */
export type ReferrerKind = "signature" | "sbom" | "attestation" | "other";

export interface NamedReferrer {
  readonly kind: ReferrerKind;
  readonly digest: string;
  /** Empty where it says none. */
  readonly artifactType: string;
  /** Of its manifest; absent where only a tag is known. */
  readonly sizeBytes?: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** How it says what it is about: by `subject`, by cosign's older scheme of tags, or as a part of the same index. */
  readonly by: "subject" | "tag" | "index";
}

const PAGE = 100;
const annotationsOf = z.record(z.string(), z.string()).catch({});

/** https://docs.sigstore.dev/about/bundle/ and https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md */
const PREDICATE = "dev.sigstore.bundle.predicateType";
const BUNDLE_CONTENT = "dev.sigstore.bundle.content";
/** cosign's tags before it used referrers: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#tag-based-discovery */
const TAG_SUFFIXES = { sig: "signature", att: "attestation", sbom: "sbom" } as const;

/** By what the artifact and, for sigstore's bundles, its annotations say. */
export function referrerKind(
  artifactType: string,
  annotations: Readonly<Record<string, string>>,
): ReferrerKind {
  const predicate = annotations[PREDICATE] ?? annotations["in-toto.io/predicate-type"] ?? "";
  if (/spdx|cyclonedx|\bsbom\b|syft/i.test(artifactType + predicate)) return "sbom";
  if (artifactType.includes("sigstore.bundle")) {
    const isSignature =
      annotations[BUNDLE_CONTENT] === "message-signature" || /cosign\/sign/.test(predicate);
    return isSignature || predicate === "" ? "signature" : "attestation";
  }
  if (/attestation|in-toto|provenance|slsa|dsse/i.test(artifactType)) return "attestation";
  return /signature|simplesigning|cosign|notary/i.test(artifactType) ? "signature" : "other";
}

/** What is about a version and can be pulled, at most {@link PAGE} by subject, and whether there is more. */
export async function listNamedReferrers(
  table: Table,
  registryId: string,
  packageName: string,
  digest: string,
): Promise<{ readonly referrers: readonly NamedReferrer[]; readonly more: boolean }> {
  const suffixes = Object.entries(TAG_SUFFIXES);
  const [page, tagItems] = await Promise.all([
    table.query(listReferrersQuery(registryId, packageName, digest, { limit: PAGE })),
    table.getMany(
      suffixes.map(([suffix]) =>
        tagKey(registryId, packageName, `${digest.replace(":", "-")}.${suffix}`),
      ),
    ),
  ]);
  const bySubject = await availableOf(table, registryId, packageName, page.items);
  const byTag = suffixes.flatMap(([, kind], position): NamedReferrer[] => {
    const item = tagItems[position];
    if (item === undefined) return [];
    return [{ kind, digest: toTag(item).version, artifactType: "", annotations: {}, by: "tag" }];
  });
  return { referrers: [...bySubject.map(named), ...byTag], more: page.cursor !== undefined };
}

async function availableOf(
  table: Table,
  registryId: string,
  packageName: string,
  items: readonly Item[],
): Promise<readonly Referrer[]> {
  const referrers = items.map(toReferrer);
  const versions = await table.getMany(
    referrers.map(({ version }) => versionKey(registryId, packageName, version)),
  );
  return referrers.filter((_, position) => {
    const row = versions[position];
    return row !== undefined && isAvailableRow(row);
  });
}

function named({ version, artifactType, descriptor }: Referrer): NamedReferrer {
  const annotations = annotationsOf.parse(descriptor["annotations"] ?? {});
  const size = descriptor["size"];
  return {
    kind: referrerKind(artifactType, annotations),
    digest: version,
    artifactType,
    ...(typeof size === "number" ? { sizeBytes: size } : {}),
    annotations,
    by: "subject",
  };
}
