import type { Context } from "hono";
import { NotFoundError } from "../../shared/errors.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import { type ListingPage, PAGE_POLICY, renderPage } from "../../shared/http/listing-page.ts";
import { isAvailable } from "../../shared/domain/package.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import { parsePackageName } from "./layout.ts";
import { factsOf } from "./version-facts.ts";

type Row = ListingPage["rows"][number];

const PAGE = 200;
const MAX_FILES = 1000;
/** Each finds at least one folder, or passes over packages that the caller may not see. */
const MAX_QUERIES = PAGE * 2;

/**
 * A folder as a page: groups and artifacts below it, versions when it is an artifact, files when it is a version.
 * `?after=` goes on behind a name.
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
  const versions = after === "" ? await versionRows(services, grant, segments) : [];
  const files = after === "" ? await fileRows(services, grant, segments) : [];
  const rows = [...folders.map((name) => row(`${name}/`, "", "")), ...versions, ...files];
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
    for (let queries = 0; queries < MAX_QUERIES && found.size < PAGE; queries++) {
      const page = await catalogue.listPackages(grant, {
        limit: 1,
        prefix,
        ...(from === undefined ? {} : { after: from }),
      });
      const [pkg] = page.items;
      if (pkg === undefined) break;
      const rest = pkg.name.slice(prefix.length);
      const end = prefix.endsWith(":") ? rest.length : rest.search(/[.:]/);
      found.add(rest.slice(0, end));
      from = prefix + rest.slice(0, end + 1) + (prefix.endsWith(":") ? "" : "~");
    }
  }
  return [...found];
}

async function versionRows(
  { catalogue }: Services,
  grant: RegistryGrant,
  segments: readonly string[],
): Promise<readonly Row[]> {
  const packageName = nameOf(segments);
  if (packageName === undefined || !grant.may("packages:read", packageName)) return [];
  const page = await catalogue.listVersions(grant, packageName, { limit: MAX_FILES });
  const versions = page.items.filter(isAvailable);
  if (versions.length === 0) return [];
  return [
    ...versions.map(({ version, metadata }) =>
      row(`${version}/`, factsOf(metadata).deploy === "open" ? "deploy not finished" : "", ""),
    ),
    row("maven-metadata.xml", "", ""),
  ];
}

async function fileRows(
  { catalogue }: Services,
  grant: RegistryGrant,
  segments: readonly string[],
): Promise<readonly Row[]> {
  const packageName = nameOf(segments.slice(0, -1));
  const version = segments.at(-1);
  if (packageName === undefined || version === undefined) return [];
  if (!grant.may("packages:read", packageName)) return [];
  const found = await catalogue.findAnyVersion(grant, packageName, version);
  if (found === undefined || !isAvailable(found)) return [];
  const page = await catalogue.listFiles(grant, packageName, version, { limit: MAX_FILES });
  const snapshot = factsOf(found.metadata).snapshot.length > 0;
  return [
    ...(snapshot ? [row("maven-metadata.xml", "", "")] : []),
    ...page.items.map((file) => row(file.path, `${file.sizeBytes} bytes`, file.digests.sha256)),
  ];
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
