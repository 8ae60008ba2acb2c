import type { Command } from "commander";
import * as z from "zod";
import type { ApiClient } from "../client/api-client.ts";
import { apiPath } from "../client/api-path.ts";
import { ApiError } from "../client/failures.ts";
import type { Output } from "../client/output.ts";
import { parsePackageSpec } from "../client/package-spec.ts";
import { list } from "../client/pages.ts";
import { fileSchema, packageSchema, tagSchema, versionSchema } from "../client/schemas.ts";
import { formatBytes, formatFields, formatTable, formatTime } from "../client/text.ts";
import {
  listOptions,
  noteMore,
  openSession,
  parseOptions,
  withCommonOptions,
  withExamples,
  withListOptions,
} from "./session.ts";

const flagsSchema = z.object({ deleted: z.boolean().default(false) });

interface Shown {
  readonly registry: string;
  readonly name: string;
  /** Of the list of versions. */
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** `package show <registry> <package>`: its versions and tags; with a version, its files. */
export function addPackageShow(group: Command): void {
  const show = group
    .command("show")
    .summary("show a package, or the files of a version")
    .description("Shows a package with its versions and tags, or a version with its files.")
    .argument("<registry>")
    .argument("<package[@version]>");
  show.option("--deleted", "list the versions that can be restored");
  withExamples(withCommonOptions(withListOptions(show)), [
    "package show my-npm @acme/app",
    "package show my-npm @acme/app@1.0.0 --json",
  ]).action(async (registry: string, text: string, _options: unknown, command: Command) => {
    const session = openSession(command);
    const { name, version } = parsePackageSpec(text);
    const { deleted } = parseOptions(command, flagsSchema);
    const state = deleted ? "deleted" : undefined;
    const shown = { registry, name, query: { state }, ...listOptions(command) };
    const api = await session.connect();
    if (version === undefined) await showPackage(api, session.output, shown);
    else await showVersion(api, session.output, { ...shown, query: {} }, version);
  });
}

async function showPackage(api: ApiClient, output: Output, shown: Shown): Promise<void> {
  const path = apiPath`/registries/${shown.registry}/packages/${shown.name}`;
  const pkg = await api.send({ path, schema: packageSchema });
  const [versions, tags] = await Promise.all([
    list(api, versionSchema, { ...shown, path: `${path}/versions` }),
    listTags(api, path),
  ]);
  output.result({ ...pkg, versions, tags }, () =>
    [
      formatFields([
        ["Package", pkg.name],
        ["Description", pkg.description],
        ["State", pkg.state],
        ["Status", [pkg.status, pkg.statusReason].filter((word) => word !== "").join(": ")],
        ["Latest", pkg.latestVersion ?? ""],
        ["Tags", tags.map((tag) => `${tag.name}=${tag.version}`).join(", ")],
        ["Versions", String(pkg.versionCount)],
        ["Updated", formatTime(pkg.updatedAt)],
      ]),
      "",
      formatTable(
        ["VERSION", "STATE", "SIZE", "FILES", "PUBLISHED", "BY", "NOTE"],
        versions.items.map((version) => [
          version.version,
          version.state,
          formatBytes(version.sizeBytes),
          String(version.fileCount),
          publishedAt(version),
          version.publishedBy,
          version.deprecation ?? "",
        ]),
      ),
    ].join("\n"),
  );
  noteMore(output, versions.nextCursor);
}

type TagView = z.infer<typeof tagSchema>;

/** Generic registries have no tags, and say so. */
async function listTags(api: ApiClient, packagePath: string): Promise<readonly TagView[]> {
  try {
    const path = `${packagePath}/tags`;
    return (await list(api, tagSchema, { path, limit: Infinity })).items;
  } catch (error) {
    if (error instanceof ApiError && error.code === "unsupported") return [];
    throw error;
  }
}

async function showVersion(
  api: ApiClient,
  output: Output,
  shown: Shown,
  wanted: string,
): Promise<void> {
  const path = apiPath`/registries/${shown.registry}/packages/${shown.name}/versions/${wanted}`;
  const version = await api.send({ path, schema: versionSchema });
  const files = await list(api, fileSchema, { ...shown, path: `${path}/files` });
  output.result({ ...version, files }, () =>
    [
      formatFields([
        ["Package", shown.name],
        ["Version", version.version],
        ["State", version.state],
        ["Deprecation", version.deprecation ?? ""],
        ["Published", `${publishedAt(version)} by ${version.publishedBy}`],
        ["Size", formatBytes(version.sizeBytes)],
      ]),
      "",
      formatTable(
        ["FILE", "SIZE", "SHA-256"],
        files.items.map((file) => [file.path, formatBytes(file.sizeBytes), file.digests.sha256]),
      ),
    ].join("\n"),
  );
  noteMore(output, files.nextCursor);
}

/** Upstreams do not always say. */
const publishedAt = (version: { readonly publishedAt: string }): string =>
  version.publishedAt === "" ? "unknown" : formatTime(version.publishedAt);
