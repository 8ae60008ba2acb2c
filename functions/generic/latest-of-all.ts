import * as z from "zod";
import { NotFoundError } from "../../shared/errors.ts";
import { packageKey, toPackage } from "../../shared/records/packages.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import { latestOf } from "../../shared/services/ecosystem.ts";
import type { Services } from "../../shared/services/services.ts";
import type { Leaf } from "../../shared/services/views/routes.ts";

/** Names the copy of an upstream's listing of a package. */
const LISTING = "latest";

/** What a listing of ours says of a package; see `routes/list-versions.ts`. */
const schema = z.object({ latestVersion: z.string().min(1).max(128) });

/**
 * The latest version that any registry behind a composite or proxy has. Only upstreams that list as we do can say so;
 * of a plain file server nobody knows what else it has.
 *
 * @throws {NotFoundError} when there is no version, {@link UpstreamFailedError} when an upstream does not say.
 */
export async function latestOfAll(
  services: Services,
  { registry }: RegistryGrant,
  packageName: string,
): Promise<string> {
  const routes = await services.views.routes(registry, packageName);
  const asked = routes.filter(({ refusal }) => refusal === "").map(({ leaf }) => leaf);
  const versions = await Promise.all(asked.map((leaf) => latestIn(services, leaf, packageName)));
  const ecosystem = services.ecosystems[registry.ecosystem];
  const latest = versions.reduce((best, version) => latestOf(ecosystem, best, version), "");
  if (latest === "") throw new NotFoundError("package", packageName);
  return latest;
}

/** Empty when there is none. */
async function latestIn(
  services: Services,
  { registry, upstream }: Leaf,
  packageName: string,
): Promise<string> {
  const { stores, upstreamDocuments } = services;
  if (upstream === undefined) {
    const item = await stores.table.get(packageKey(registry.id, packageName));
    const pkg = item === undefined ? undefined : toPackage(item);
    return pkg?.state === "active" ? pkg.latestVersion : "";
  }
  const question = {
    registry,
    upstream,
    packageName,
    name: LISTING,
    path: `/${encodeURIComponent(packageName)}/?format=json&limit=1`,
    headers: { accept: "application/json" },
    check: (body: Uint8Array) => void readLatest(body),
  };
  const { copy } = await upstreamDocuments.ask(question);
  if (copy.state === "missing") return "";
  return readLatest(await upstreamDocuments.body(registry, packageName, copy));
}

/** @throws {SyntaxError} */
function readLatest(body: Uint8Array): string {
  const value: unknown = JSON.parse(new TextDecoder().decode(body));
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data.latestVersion;
  throw new SyntaxError("it does not say which version is the latest. Name a version instead.");
}
