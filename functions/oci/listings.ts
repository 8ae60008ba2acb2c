import type { JsonObject } from "../../shared/domain/json.ts";
import type { Caller } from "../../shared/domain/principal.ts";
import { listReferrersQuery, toReferrer } from "../../shared/records/referrers.ts";
import { listTagsQuery, toTag } from "../../shared/records/tags.ts";
import { isAvailableRow, versionKey } from "../../shared/records/versions.ts";
import type { PackageRef } from "../../shared/services/blob-links.ts";
import type { Services } from "../../shared/services/services.ts";

export interface NamePage {
  readonly names: readonly string[];
  /** There are more after the last of these. */
  readonly more: boolean;
}

export interface PageRequest {
  /** 0 asks for nothing, and gets it. */
  readonly limit: number;
  /** Begin after this name. */
  readonly last: string | undefined;
}

/** Stored tags of an image in byte order. */
export async function listTags(
  services: Services,
  { registryId, packageName }: PackageRef,
  { limit, last }: PageRequest,
): Promise<NamePage> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const { items, cursor: next } = await services.stores.table.query(
      listTagsQuery(registryId, packageName, {
        limit: limit + 1 - names.length,
        ...(last === undefined ? {} : { after: last }),
        ...(cursor === undefined ? {} : { cursor }),
      }),
    );
    names.push(...items.map((item) => toTag(item).name));
    cursor = next;
  } while (cursor !== undefined && names.length <= limit);
  return { names: names.slice(0, limit), more: limit > 0 && names.length > limit };
}

/** `<registry>/<image>` of everything that the caller may read, in the order of registries, then images. */
export async function listRepositories(
  services: Services,
  caller: Caller,
  { limit, last }: PageRequest,
): Promise<NamePage> {
  const [lastSlug = "", ...lastImage] = (last ?? "").split("/");
  const after = lastImage.join("/");
  const names: string[] = [];
  for await (const slug of readableRegistries(services, caller)) {
    if (slug < lastSlug) continue;
    const grant = await services.access.openAny(caller, slug);
    let cursor: string | undefined;
    do {
      const page = await services.catalogue.listPackages(grant, {
        limit: Math.min(limit + 1 - names.length, 100),
        ...(slug === lastSlug && after !== "" ? { after } : {}),
        ...(cursor === undefined ? {} : { cursor }),
      });
      names.push(...page.items.map((pkg) => `${slug}/${pkg.name}`));
      cursor = page.cursor;
    } while (cursor !== undefined && names.length <= limit);
    if (names.length > limit) break;
  }
  return { names: names.slice(0, limit), more: limit > 0 && names.length > limit };
}

async function* readableRegistries(services: Services, caller: Caller): AsyncIterable<string> {
  let cursor: string | undefined;
  do {
    const page = await services.registries.list(
      caller,
      cursor === undefined ? { limit: 100 } : { limit: 100, cursor },
    );
    for (const { slug, ecosystem } of page.items) if (ecosystem === "oci") yield slug;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Descriptors of one page, and its bytes, which must fit through a function. */
export const PAGE_REFERRERS = 100;
export const PAGE_BYTES = 2 * 1024 * 1024;

export interface ReferrerPage {
  readonly descriptors: readonly JsonObject[];
  /** Where the next page begins; absent on the last. */
  readonly next: string | undefined;
}

export interface ReferrerRequest {
  /** Digest. */
  readonly subject: string;
  readonly artifactType: string | undefined;
  /** Begin after this digest. */
  readonly last: string | undefined;
}

/** What is stored about `subject`, in the order of digests; deleted versions are left out. */
export async function listReferrers(
  services: Services,
  { registryId, packageName: image }: PackageRef,
  wanted: ReferrerRequest,
): Promise<ReferrerPage> {
  const { table } = services.stores;
  const descriptors: JsonObject[] = [];
  let bytes = 0;
  let after = wanted.last;
  for (;;) {
    const { items } = await table.query(
      listReferrersQuery(registryId, image, wanted.subject, {
        limit: PAGE_REFERRERS,
        ...(after === undefined ? {} : { after }),
      }),
    );
    if (items.length === 0) return { descriptors, next: undefined };
    const referrers = items.map(toReferrer);
    const versions = await table.getMany(
      referrers.map(({ version }) => versionKey(registryId, image, version)),
    );
    for (const [position, referrer] of referrers.entries()) {
      if (descriptors.length >= PAGE_REFERRERS || bytes > PAGE_BYTES)
        return { descriptors, next: after };
      after = referrer.version;
      const version = versions[position];
      if (version === undefined || !isAvailableRow(version)) continue;
      const fits =
        wanted.artifactType === undefined || wanted.artifactType === referrer.artifactType;
      if (!fits) continue;
      descriptors.push(referrer.descriptor);
      bytes += JSON.stringify(referrer.descriptor).length;
    }
  }
}
