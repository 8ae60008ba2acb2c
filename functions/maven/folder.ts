import type { Context } from "hono";
import { isAvailable } from "../../shared/domain/package.ts";
import { NotFoundError } from "../../shared/errors.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import { type ListingPage, PAGE_POLICY, renderPage } from "../../shared/http/listing-page.ts";
import { listFilesQuery, toFile } from "../../shared/records/files.ts";
import { listVersionsQuery, toVersion, versionKey } from "../../shared/records/versions.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import type { Leaf } from "../../shared/services/views/routes.ts";
import { parsePackageName } from "./layout.ts";
import { factsOf } from "./version-facts.ts";

const PARTIAL =
  "Of upstreams only what was fetched before is listed; everything else that they have is fetched when it is asked for by its path.";

type Row = ListingPage["rows"][number];

const PAGE = 200;
const MAX_FILES = 1000;
/** Each finds at least one folder, or passes over packages that the caller may not see. */
const MAX_QUERIES = PAGE * 2;

/**
 * A folder as a page: groups and artifacts below it, versions when it is an artifact, files when it is a version. Of
 * proxies, what was fetched: upstreams are not asked. `?after=` goes on behind a name.
 *
 * @throws {NotFoundError} when there is nothing in it.
 */
export async function sendFolder(
  c: Context<AppEnv>,
  services: Services,
  grant: RegistryGrant,
  segments: readonly string[],
): Promise<Response> {
  const after = c.req.query("after")?.slice(0, 400) ?? "";
  const folders = await childrenOf(services, grant, segments, after);
  const contents = after === "" ? await contentsOf(services, grant, segments) : [];
  const rows = [...folders.map((name) => row(`${name}/`, "", "")), ...contents];
  if (rows.length === 0 && segments.length > 0 && after === "") {
    throw new NotFoundError("file", `${segments.join("/")}/`);
  }
  const page: ListingPage = {
    title: segments.join("/") || grant.registry.slug,
    parents: segments.map((_, depth) => ({
      name: segments[depth - 1] ?? grant.registry.slug,
      href: "../".repeat(segments.length - depth),
    })),
    columns: ["Name", "Size", "SHA-256"],
    rows,
    ...(grant.registry.kind === "source" ? {} : { note: PARTIAL }),
  };
  const last = folders.length === PAGE ? folders.at(-1) : undefined;
  c.header("cache-control", "private, no-cache");
  c.header("x-content-type-options", "nosniff");
  c.header("content-security-policy", PAGE_POLICY);
  c.header("referrer-policy", "no-referrer");
  return c.html(
    renderPage(page, last === undefined ? undefined : `?after=${encodeURIComponent(last)}`),
  );
}

const row = (name: string, size: string, sum: string): Row => ({
  name,
  // A name cannot be taken for a scheme: it holds no colon.
  href: name.split("/").map(encodeURIComponent).join("/"),
  cells: [size, sum],
});

/** Versions of an artifact or files of a version, whichever the folder is. */
async function contentsOf(
  services: Services,
  grant: RegistryGrant,
  segments: readonly string[],
): Promise<readonly Row[]> {
  const artifact = nameOf(segments);
  const parent = nameOf(segments.slice(0, -1));
  const version = segments.at(-1) ?? "";
  const [ofArtifact, ofParent] = await Promise.all([
    askedFor(services, grant, artifact),
    askedFor(services, grant, parent),
  ]);
  return [
    ...(artifact === undefined ? [] : await versionRows(services, ofArtifact, artifact)),
    ...(parent === undefined ? [] : await fileRows(services, ofParent, parent, version)),
  ];
}

/** Names of groups and artifacts, found by skipping from one to the next, however many packages are below each. */
async function childrenOf(
  { catalogue }: Services,
  grant: RegistryGrant,
  segments: readonly string[],
  after: string,
): Promise<readonly string[]> {
  const group = segments.join(".");
  const found = new Set<string>();
  for (const prefix of group === "" ? [""] : [`${group}.`, `${group}:`]) {
    // "~" comes behind everything that a name may hold.
    let from = after === "" ? undefined : `${prefix}${after}:~`;
    let cursor: string | undefined;
    for (let queries = 0; queries < MAX_QUERIES && found.size < PAGE; queries++) {
      const page = await catalogue.listPackages(grant, {
        limit: 1,
        prefix,
        ...(from === undefined ? {} : { after: from }),
        ...(cursor === undefined ? {} : { cursor }),
      });
      const [pkg] = page.items;
      // A page is short where names are not the caller's to see, or nothing of them was fetched.
      ({ cursor } = page);
      if (pkg === undefined && cursor === undefined) break;
      if (pkg === undefined) continue;
      cursor = undefined;
      const rest = pkg.name.slice(prefix.length);
      const end = prefix.endsWith(":") ? rest.length : rest.search(/[.:]/);
      found.add(rest.slice(0, end));
      from = prefix + rest.slice(0, end + 1) + (prefix.endsWith(":") ? "" : "~");
    }
  }
  return [...found];
}

async function versionRows(
  { stores }: Services,
  asked: readonly Leaf[],
  packageName: string,
): Promise<readonly Row[]> {
  const rows = new Map<string, Row>();
  for (const { registry } of asked) {
    const query = listVersionsQuery(registry.id, packageName, { limit: MAX_FILES });
    const page = await stores.table.query(query);
    for (const { version, metadata } of page.items.map(toVersion).filter(isAvailable)) {
      const note = factsOf(metadata).deploy === "open" ? "deploy not finished" : "";
      if (!rows.has(version)) rows.set(version, row(`${version}/`, note, ""));
    }
  }
  return rows.size === 0 ? [] : [...rows.values(), row("maven-metadata.xml", "", "")];
}

async function fileRows(
  { stores }: Services,
  asked: readonly Leaf[],
  packageName: string,
  version: string,
): Promise<readonly Row[]> {
  const rows = new Map<string, Row>();
  for (const { registry, upstream } of asked) {
    const item = await stores.table.get(versionKey(registry.id, packageName, version));
    const found = item === undefined ? undefined : toVersion(item);
    if (found === undefined || !isAvailable(found)) continue;
    const query = listFilesQuery(registry.id, packageName, version, { limit: MAX_FILES });
    const page = await stores.table.query(query);
    if (factsOf(found.metadata).snapshot.length > 0) {
      rows.set("maven-metadata.xml", row("maven-metadata.xml", "", ""));
    }
    for (const { path, sizeBytes, digests } of page.items.map(toFile)) {
      if (!rows.has(path)) rows.set(path, row(path, `${sizeBytes} bytes`, digests.sha256));
    }
    // To a version of a source registry no other adds files.
    if (upstream === undefined) break;
  }
  return [...rows.values()];
}

/** The registries that are asked for a package of this folder; none where it cannot be one, or the caller may not see it. */
async function askedFor(
  { views }: Services,
  grant: RegistryGrant,
  packageName: string | undefined,
): Promise<readonly Leaf[]> {
  if (packageName === undefined || !grant.may("packages:read", packageName)) return [];
  const routes = await views.routes(grant.registry, packageName);
  return routes.filter(({ refusal }) => refusal === "").map(({ leaf }) => leaf);
}

/** The package of a folder, if it can be one. */
function nameOf(segments: readonly string[]): string | undefined {
  const artifact = segments.at(-1);
  if (artifact === undefined || segments.length < 2) return undefined;
  const text = `${segments.slice(0, -1).join(".")}:${artifact}`;
  try {
    return parsePackageName(text);
  } catch {
    return undefined;
  }
}
