import type { Context } from "hono";
import { isAvailable, type Package, type Version } from "../../../shared/domain/package.ts";
import { InvalidInputError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { Services } from "../../../shared/services/services.ts";
import { renderSearchObject } from "../render-search.ts";
import { fitsQualifiers, parseSearch, type SearchQuery } from "../search-query.ts";
import { openRegistry } from "../target.ts";
import { nameOf, searchUpstreams } from "../upstream-search.ts";

const DEFAULT_SIZE = 20;
/** npm's own registry gives no more. */
const MAX_SIZE = 250;
const MAX_FROM = 10_000;
/** Listing everything reads at least that far, so that `total` is exact for registries of this size. */
const MIN_SCANNED = 1000;
const PAGE_PACKAGES = 100;

/** `GET /-/v1/search?text&size&from`; `quality`, `popularity` and `maintenance` weigh what is not measured here. */
export async function search(c: Context<AppEnv>, services: Services): Promise<Response> {
  const grant = await openRegistry(c, services, "packages:read");
  const query = parseSearch(c.req.query("text") ?? "");
  const size = numberOf(c.req.query("size"), "size", DEFAULT_SIZE, MAX_SIZE);
  const from = numberOf(c.req.query("from"), "from", 0, MAX_FROM);
  const found =
    query.words === ""
      ? await listAll(services, grant, query, from + size)
      : (await services.catalogue.search(grant, query.words)).filter((pkg) =>
          fitsQualifiers(pkg, query),
        );
  const shown = found.slice(from, from + size);
  const { baseUrl } = c.get("caller");
  const objects = await Promise.all(
    shown.map(async (pkg, position) =>
      renderSearchObject(
        { registry: grant.registry, packageName: pkg.name, baseUrl },
        pkg,
        await latestVersion(services, grant, pkg),
        1 - (from + position) / (found.length + 1),
      ),
    ),
  );
  const text = c.req.query("text") ?? "";
  // Behind what is here: an upstream's finds have pages of their own, of which only the first can be mixed in.
  const more = await searchUpstreams(services, grant, { text, size: from === 0 ? size : 0 });
  const here = new Set(found.map(({ name }) => name));
  const elsewhere = more.filter((object) => !here.has(nameOf(object)));
  const time = new Date(services.stores.now()).toISOString();
  const all = [...objects, ...elsewhere].slice(0, size);
  return c.json({ objects: all, total: found.length + elsewhere.length, time }, 200, {
    "cache-control": "private, no-cache",
  });
}

/** Packages by name, from the first one on: enough for the page, and for an exact total where that is cheap. */
async function listAll(
  services: Services,
  grant: RegistryGrant,
  query: SearchQuery,
  wanted: number,
): Promise<readonly Package[]> {
  const [scope] = query.scopes;
  const prefix = query.scopes.length === 1 && scope !== undefined ? `${scope}/` : "";
  const found: Package[] = [];
  let scanned = 0;
  let cursor: string | undefined;
  do {
    const page = await services.catalogue.listPackages(grant, {
      prefix,
      limit: PAGE_PACKAGES,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.items.filter((pkg) => fitsQualifiers(pkg, query)));
    scanned += PAGE_PACKAGES;
    cursor = page.cursor;
  } while (
    cursor !== undefined &&
    (scanned < MIN_SCANNED || (found.length < wanted && scanned < MAX_FROM))
  );
  return found;
}

async function latestVersion(
  services: Services,
  grant: RegistryGrant,
  pkg: Package,
): Promise<Version | undefined> {
  const name = (await services.catalogue.findTag(grant, pkg.name, "latest")) ?? pkg.latestVersion;
  const version = await services.catalogue.findAnyVersion(grant, pkg.name, name);
  return version !== undefined && isAvailable(version) ? version : undefined;
}

function numberOf(text: string | undefined, name: string, absent: number, max: number): number {
  if (text === undefined || text === "") return absent;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return Math.min(value, max);
  throw new InvalidInputError(
    `"${name}" must be a whole number from 0 to ${max}, not "${text.slice(0, 40)}".`,
    [{ at: `?${name}`, problem: "not a whole number" }],
  );
}
