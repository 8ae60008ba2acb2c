import type { Command } from "commander";
import * as z from "zod";
import type { ApiClient } from "../client/api-client.ts";
import { apiPath } from "../client/api-path.ts";
import { usageError } from "../client/failures.ts";
import { type PackageSpec, parsePackageSpec, requireVersion } from "../client/package-spec.ts";
import { ask, isInteractive } from "../client/prompt.ts";
import { objectSchema, packageSchema } from "../client/schemas.ts";
import { formatTime } from "../client/text.ts";
import { printList } from "./listing.ts";
import { addPackageShow } from "./package-show.ts";
import { addPackageStatus } from "./package-status.ts";
import {
  openSession,
  parseOptions,
  withCommonOptions,
  withExamples,
  withListOptions,
} from "./session.ts";

/** `package list|show|delete|restore|deprecate|status`. */
export function addPackageCommands(program: Command): void {
  const group = program
    .command("package")
    .summary("list, show, delete, restore and deprecate packages, and set their status")
    .description("Packages of a registry, and their versions.");
  addList(group);
  addPackageShow(group);
  addDelete(group);
  addRestore(group);
  addDeprecate(group);
  addPackageStatus(group);
}

function addList(group: Command): void {
  const command = group
    .command("list")
    .alias("ls")
    .summary("list the packages of a registry")
    .description("Lists packages by name, or those that match a search, best first.")
    .argument("<registry>")
    .option("--prefix <text>", "only names that begin so")
    .option("--search <words>", "only what matches these words");
  withExamples(withCommonOptions(withListOptions(command)), [
    "package list my-npm --prefix @acme/",
    "package list my-npm --search http client --json",
  ]).action(async (registry: string, _options: unknown, self: Command) => {
    const { prefix, search } = parseOptions(
      self,
      z.object({ prefix: z.string().optional(), search: z.string().optional() }),
    );
    await printList(self, {
      path: apiPath`/registries/${registry}/packages`,
      query: { prefix, search },
      item: packageSchema,
      heads: ["NAME", "LATEST", "VERSIONS", "UPDATED", "DESCRIPTION"],
      row: (item) => [
        item.name,
        item.latestVersion ?? "",
        String(item.versionCount),
        formatTime(item.updatedAt),
        item.description.slice(0, 60),
      ],
      none: `No packages in ${registry}.`,
    });
  });
}

function addDelete(group: Command): void {
  const remove = group
    .command("delete")
    .summary("delete a package, a version or a file")
    .description(
      "Deletes a package with all its versions, or one version. It can be restored for as long as the registry's policy says. A single file cannot: its bytes go.",
    )
    .argument("<registry>")
    .argument("<package[@version]>")
    .option("--file <path>", "only this file of the version")
    .option("-y, --yes", "do not ask");
  withExamples(withCommonOptions(remove), [
    "package delete my-npm @acme/app@1.0.0",
    "package delete builds nightly --yes",
    "package delete my-py demo@1.0 --file demo-1.0-cp312-cp312-win32.whl",
  ]).action(async (registry: string, text: string, _options: unknown, command: Command) => {
    const session = openSession(command);
    const spec = parsePackageSpec(text);
    const { yes, file } = parseOptions(
      command,
      z.object({ yes: z.boolean().default(false), file: z.string().optional() }),
    );
    if (file !== undefined) return deleteFile(command, registry, requireVersion(text), file, yes);
    if (!yes) await requireYes(registry, whatOf(text, spec));
    const path = pathOf(registry, spec);
    const api = await session.connect();
    const answer = await api.send({ method: "DELETE", path, schema: objectSchema });
    session.output.result(
      { registry, deleted: text, ...answer },
      () => `Deleted ${text} of ${registry}.\nUndo: entrepot package restore ${registry} ${text}`,
    );
  });
}

async function deleteFile(
  command: Command,
  registry: string,
  spec: Required<PackageSpec>,
  file: string,
  yes: boolean,
): Promise<void> {
  const session = openSession(command);
  if (!yes) await requireYes(registry, `${file} of ${spec.name}@${spec.version}`);
  const path = `${pathOf(registry, spec)}/files/${encodeURIComponent(file)}`;
  const api = await session.connect();
  const answer = await api.send({ method: "DELETE", path, schema: objectSchema });
  session.output.result(
    { registry, deleted: file, ...answer },
    () => `Deleted ${file} of ${spec.name}@${spec.version} in ${registry}.`,
  );
}

const whatOf = (text: string, { version }: PackageSpec): string =>
  version === undefined ? `${text} with all its versions` : text;

async function requireYes(registry: string, what: string): Promise<void> {
  if (!isInteractive()) throw usageError(`This deletes ${what} of ${registry}.`, "Confirm: --yes");
  const answer = await ask(`Delete ${what} of ${registry}? [y/N] `);
  if (!/^y(es)?$/i.test(answer)) throw usageError("Nothing was deleted.");
}

function addRestore(group: Command): void {
  const restore = group
    .command("restore")
    .summary("restore what was deleted")
    .description("Restores a deleted package or version.")
    .argument("<registry>")
    .argument("<package[@version]>");
  withExamples(withCommonOptions(restore), ["package restore my-npm @acme/app@1.0.0"]).action(
    async (registry: string, text: string, _options: unknown, command: Command) => {
      const session = openSession(command);
      const path = `${pathOf(registry, parsePackageSpec(text))}/restore`;
      const api = await session.connect();
      const answer = await api.send({ method: "POST", path, schema: objectSchema });
      session.output.result(
        { registry, restored: text, ...answer },
        () => `Restored ${text} of ${registry}.`,
      );
    },
  );
}

function addDeprecate(group: Command): void {
  const deprecate = group
    .command("deprecate")
    .alias("yank")
    .summary("warn those who install a version")
    .description(
      "Marks a version as deprecated, with words for those who install it. Of Python projects that is yanking: installers leave the version out unless it is pinned.",
    )
    .argument("<registry>")
    .argument("<package@version>")
    .argument("[message]", "what to use instead")
    .option("--file <path>", "only this file of the version (Python)")
    .option("--undo", "take the warning back");
  withExamples(withCommonOptions(deprecate), [
    'package deprecate my-npm @acme/app@1.0.0 "Use 2.x"',
    "package deprecate my-npm @acme/app@1.0.0 --undo",
    'package yank my-py demo@1.0 "crashes" --file demo-1.0-cp312-cp312-win32.whl',
  ]).action(
    async (
      registry: string,
      text: string,
      message: string | undefined,
      _options: unknown,
      command: Command,
    ) => {
      const session = openSession(command);
      const spec = requireVersion(text);
      const { undo, file } = parseOptions(
        command,
        z.object({ undo: z.boolean().default(false), file: z.string().optional() }),
      );
      if (undo === (message !== undefined)) {
        throw usageError(
          "Give either a message or --undo.",
          "See: entrepot package deprecate --help",
        );
      }
      const place = { path: `${pathOf(registry, spec)}/deprecation`, file };
      const answer = await setDeprecation(await session.connect(), place, message);
      const did = undo ? "Took back the deprecation of" : "Deprecated";
      session.output.result(
        { registry, package: spec.name, ...answer },
        () => `${did} ${file === undefined ? text : `${file} of ${text}`} of ${registry}.`,
      );
    },
  );
}

function setDeprecation(
  api: ApiClient,
  { path, file }: { readonly path: string; readonly file: string | undefined },
  message: string | undefined,
): Promise<object> {
  return message === undefined
    ? api.send({ method: "DELETE", path, query: { file }, schema: objectSchema })
    : api.send({ method: "PUT", path, body: { message, file }, schema: objectSchema });
}

function pathOf(registry: string, { name, version }: PackageSpec): string {
  return version === undefined
    ? apiPath`/registries/${registry}/packages/${name}`
    : apiPath`/registries/${registry}/packages/${name}/versions/${version}`;
}
