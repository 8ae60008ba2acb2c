import type { Context } from "hono";
import { isJsonObject, property } from "../../../shared/domain/json.ts";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { collect } from "../../../shared/services/streams.ts";
import type { Services } from "../../../shared/services/services.ts";
import { parsePackageName, parseVersion, provenanceName } from "../names.ts";
import { renderAttestations } from "../provenance.ts";
import { upstreamAttestations, upstreamKeys } from "../upstream-trust.ts";
import { openRegistry, param } from "../target.ts";

const MAX_BUNDLE_BYTES = 1024 * 1024;

/** `GET /-/npm/v1/keys`: what `npm audit signatures` verifies `dist.signatures` with. */
export async function listKeys(c: Context<AppEnv>, services: Services): Promise<Response> {
  const grant = await openRegistry(c, services, "packages:read");
  const own = (await services.stores.keys.publicKeys()).map(({ keyId, spkiBase64 }) => ({
    expires: null,
    keyid: keyId,
    keytype: "ecdsa-sha2-nistp256",
    scheme: "ecdsa-sha2-nistp256",
    key: spkiBase64,
  }));
  return c.json({ keys: [...own, ...(await upstreamKeys(services, grant))] });
}

/** `GET /-/npm/v1/attestations/<package>@<version>`: the provenance that came with the publish. */
export async function getAttestations(c: Context<AppEnv>, services: Services): Promise<Response> {
  const spec = param(c, "spec");
  const at = spec.lastIndexOf("@");
  const packageName = parsePackageName(spec.slice(0, Math.max(at, 0)));
  const version = parseVersion(spec.slice(at + 1));
  const grant = await services.access.open(
    c.get("caller"),
    param(c, "registry"),
    "npm",
    "packages:read",
    packageName,
  );
  const { origin } = (await services.catalogue.findAnyVersion(grant, packageName, version)) ?? {};
  const leaf = (await services.views.leaves(grant.registry)).find(
    ({ registry, upstream }) => upstream !== undefined && registry.slug === origin,
  );
  if (leaf !== undefined) {
    const attestations = await upstreamAttestations(services, leaf, packageName, version);
    if (attestations === undefined) throw new NotFoundError("file", spec.slice(0, 300));
    return c.json(attestations);
  }
  const path = provenanceName(packageName, version);
  const found = await services.catalogue.getFile(grant, packageName, version, path);
  const stream = await services.stores.blobs.open(found.file.digests.sha256);
  if (stream === undefined) throw new NotFoundError("file", path);
  const bundle: unknown = JSON.parse((await collect(stream, MAX_BUNDLE_BYTES)).toString("utf8"));
  return c.json(renderAttestations(predicateTypeOf(found.version().metadata), bundle));
}

function predicateTypeOf(metadata: unknown): string {
  let value: unknown = metadata;
  for (const name of ["dist", "attestations", "provenance", "predicateType"]) {
    value = isJsonObject(value) ? property(value, name) : undefined;
  }
  return typeof value === "string" ? value : "";
}
