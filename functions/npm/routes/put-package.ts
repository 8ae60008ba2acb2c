import type { Context } from "hono";
import type { JsonObject } from "../../../shared/domain/json.ts";
import { InvalidInputError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { Services } from "../../../shared/services/services.ts";
import { ok } from "../errors.ts";
import { type PendingTarball, readPackageBody } from "../intake/package-body.ts";
import { parseClientManifest, requireAnnouncedDigests } from "../manifest.ts";
import { parseTag } from "../names.ts";
import { editPackument } from "../packument-edits.ts";
import { findProvenance, parseProvenance } from "../provenance.ts";
import { publish } from "../publication.ts";
import { type PackageBody, parseWith, publishTagsSchema } from "../schema.ts";
import { openPackage, type PackageTarget } from "../target.ts";

/** Longest `npm-session` that is taken for one; npm sends 16 hexadecimal digits. */
const MAX_SESSION_LENGTH = 64;

/** `PUT /<package>`: a publish with a tarball, or an edit of the packument (deprecate) without. */
export async function putPackage(c: Context<AppEnv>, services: Services): Promise<Response> {
  const target = await openPackage(c, services, "packages:write");
  const { document, tarball } = await readPackageBody(
    c.req.raw,
    services.stores.blobs,
    target.grant.registry.policies.maxFileBytes,
  );
  if (tarball === undefined) {
    requireNoAttachments(document);
    await editPackument(services, target.grant, target.packageName, document);
    return ok(c, 201);
  }
  try {
    await publishReceived(c, services, target, document, tarball);
  } catch (error) {
    await tarball.intake.discard();
    throw error;
  }
  return ok(c, 201);
}

async function publishReceived(
  c: Context<AppEnv>,
  services: Services,
  { grant, packageName }: PackageTarget,
  document: PackageBody,
  { checked, intake }: PendingTarball,
): Promise<void> {
  requireName(document, packageName);
  const { version, manifest } = parseClientManifest(packageName, document.versions);
  requireAnnouncedDigests(manifest, checked);
  const bundle = findProvenance(document);
  await publish(services, grant, {
    packageName,
    version,
    manifest,
    tarball: checked,
    tags: tagsOf(document, version),
    readme: readmeOf(document, manifest),
    provenance:
      bundle === undefined
        ? undefined
        : parseProvenance(bundle, packageName, version, checked.sha512),
    publishRun: publishRunOf(c),
    storeTarball: async () => (await intake.commit(checked)).sha256,
  });
}

/** npm repeats a PUT whose answer it did not get; all requests of one run of npm carry the same session. */
function publishRunOf(c: Context<AppEnv>): string {
  const { principal } = c.get("caller");
  const session = c.req.header("npm-session") ?? "";
  const known =
    principal.kind === "token" && session !== "" && session.length <= MAX_SESSION_LENGTH;
  return known ? `${principal.tokenId}:${session}` : "";
}

function tagsOf(document: PackageBody, version: string): readonly string[] {
  const tags = Object.entries(parseWith(publishTagsSchema, document.distTags, "dist-tags"));
  for (const [name, pointsAt] of tags) {
    parseTag(name);
    if (pointsAt !== version) {
      throw new InvalidInputError(
        `The dist-tag "${name}" points at "${pointsAt.slice(0, 80)}", but ${version} is published; move other tags with "npm dist-tag".`,
        [{ at: `/dist-tags/${name}`, problem: "not the published version" }],
      );
    }
  }
  return tags.length === 0 ? ["latest"] : tags.map(([name]) => name);
}

function readmeOf(document: PackageBody, manifest: JsonObject): string {
  const [readme] = [document.readme, manifest["readme"]].filter((text) => typeof text === "string");
  return typeof readme === "string" ? readme : "";
}

function requireName(document: PackageBody, packageName: string): void {
  for (const [field, name] of [
    ["name", document.name],
    ["_id", document.id],
  ]) {
    if (name === undefined || name === packageName) continue;
    throw new InvalidInputError(
      `The body is of "${name.slice(0, 100)}", but it was sent to "${packageName}".`,
      [{ at: `/${field}`, problem: "not the package of the URL" }],
    );
  }
}

function requireNoAttachments(document: PackageBody): void {
  const [name] = document.attachments.keys();
  if (name === undefined) return;
  throw new InvalidInputError(
    `"${name.slice(0, 80)}" in _attachments is not a tarball with "data"; nothing was published.`,
    [{ at: "/_attachments", problem: "no tarball" }],
  );
}
