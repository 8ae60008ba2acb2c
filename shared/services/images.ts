import { UnsupportedError } from "../errors.ts";
import {
  isJsonObject,
  type Json,
  type JsonObject,
  parseJsonObject,
  property,
} from "../domain/json.ts";
import type { Digests } from "../domain/digest.ts";
import { listReferrersQuery, toReferrer } from "../records/referrers.ts";
import { isAvailableRow, versionKey } from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import type { BlobLinks } from "./blob-links.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Stores } from "./stores.ts";
import type { Tags } from "./tags.ts";

/** Configurations are some kilobytes; what is larger is not read for a look at it. */
const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_REFERRERS = 100;
/** The one file of a manifest's version. */
const MANIFEST_PATH = "manifest";
const HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json";

export type ReferrerKind = "signature" | "sbom" | "attestation" | "other";

export interface ImageReferrer {
  readonly digest: string;
  readonly artifactType: string;
  readonly kind: ReferrerKind;
}

/** What a person wants to know of an image, an index or another OCI artifact. */
export interface ImageDetails {
  readonly digest: string;
  readonly metadata: JsonObject;
  readonly digests: Digests;
  /** Bytes of the manifest itself. */
  readonly manifestBytes: number;
  /** As pulled: its manifest, config and layers; 0 for an index, whose manifests have their own. */
  readonly compressedBytes: number;
  /** Tags that point here, in order. */
  readonly tags: readonly string[];
  readonly referrers: readonly ImageReferrer[];
  /** The configuration as it was pushed; `undefined` when there is none, it is no JSON, or too large. */
  readonly config: JsonObject | undefined;
  /** The configuration is the Chart.yaml of a Helm chart. */
  readonly isChart: boolean;
}

/** Reads what is known of images for people; what clients read is the protocol's affair. */
export class Images {
  readonly #stores: Stores;
  readonly #catalogue: Catalogue;
  readonly #links: BlobLinks;
  readonly #tags: Tags;

  constructor(stores: Stores, catalogue: Catalogue, links: BlobLinks, tags: Tags) {
    this.#stores = stores;
    this.#catalogue = catalogue;
    this.#links = links;
    this.#tags = tags;
  }

  /** @throws {NotFoundError} | {@link UnsupportedError} in a registry of another ecosystem. */
  async describe(grant: RegistryGrant, packageName: string, digest: string): Promise<ImageDetails> {
    if (grant.registry.ecosystem !== "oci") {
      throw new UnsupportedError(`Registry "${grant.registry.slug}" holds no images.`);
    }
    const { file, version } = await this.#catalogue.getFile(
      grant,
      packageName,
      digest,
      MANIFEST_PATH,
    );
    const { metadata } = version;
    const config = property(metadata, "config") ?? null;
    const parts = [config, ...listOf(metadata, "layers")].map((part) => numberOf(part, "size"));
    const isIndex = property(metadata, "kind") === "index";
    return {
      digest,
      metadata,
      digests: file.digests,
      manifestBytes: file.sizeBytes,
      compressedBytes: isIndex ? 0 : parts.reduce((sum, size) => sum + size, file.sizeBytes),
      tags: (await this.#tags.list(grant, packageName))
        .filter((tag) => tag.version === digest)
        .map(({ name }) => name),
      referrers: await this.#referrers(grant, packageName, digest),
      config: await this.#config(grant, packageName, config),
      isChart: textOf(config, "mediaType") === HELM_CONFIG,
    };
  }

  async #config(
    grant: RegistryGrant,
    packageName: string,
    descriptor: Json,
  ): Promise<JsonObject | undefined> {
    const digest = textOf(descriptor, "digest");
    const isJson = textOf(descriptor, "mediaType").endsWith("json");
    if (digest === "" || !isJson) return undefined;
    const link = await this.#links.find({ registryId: grant.registry.id, packageName }, digest);
    if (link === undefined || link.sizeBytes > MAX_CONFIG_BYTES) return undefined;
    const body = await this.#stores.blobs.open(link.sha256);
    if (body === undefined) return undefined;
    try {
      return parseJsonObject(await new Response(body).text());
    } catch {
      // Anyone may push anything as a configuration.
      return undefined;
    }
  }

  async #referrers(
    grant: RegistryGrant,
    packageName: string,
    digest: string,
  ): Promise<readonly ImageReferrer[]> {
    const { table } = this.#stores;
    const { id } = grant.registry;
    const limit = { limit: MAX_REFERRERS };
    const { items } = await table.query(listReferrersQuery(id, packageName, digest, limit));
    const referrers = items.map(toReferrer);
    const versions = await table.getMany(
      referrers.map(({ version }) => versionKey(id, packageName, version)),
    );
    return referrers.flatMap(({ version, artifactType }, position) => {
      const row = versions[position];
      if (row === undefined || !isAvailableRow(row)) return [];
      return [{ digest: version, artifactType, kind: referrerKind(artifactType) }];
    });
  }
}

/** What the field's tools call their artifacts: cosign and notation; SPDX and CycloneDX; in-toto and sigstore bundles. */
export function referrerKind(artifactType: string): ReferrerKind {
  if (/signature|cosign\.artifact\.sig|notary/.test(artifactType)) return "signature";
  if (/spdx|cyclonedx|sbom|syft/.test(artifactType)) return "sbom";
  if (/in-toto|attestation|sigstore\.bundle|slsa/.test(artifactType)) return "attestation";
  return "other";
}

function listOf(metadata: JsonObject, name: string): readonly Json[] {
  const value = property(metadata, name);
  return isList(value) ? value : [];
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

function textOf(value: Json, name: string): string {
  const found = isJsonObject(value) ? property(value, name) : undefined;
  return typeof found === "string" ? found : "";
}

function numberOf(value: Json, name: string): number {
  const found = isJsonObject(value) ? property(value, name) : undefined;
  return typeof found === "number" ? found : 0;
}
