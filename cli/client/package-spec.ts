import { usageError } from "./failures.ts";

export interface PackageSpec {
  readonly name: string;
  /** A version or a tag; absent when the text names none. */
  readonly version?: string;
}

/** Reads `name`, `name@version` and `@scope/name@version`. @throws {CliError} */
export function parsePackageSpec(text: string): PackageSpec {
  // A scope's own @ comes first and divides nothing.
  const at = text.lastIndexOf("@");
  const spec = at <= 0 ? { name: text } : { name: text.slice(0, at), version: text.slice(at + 1) };
  if (spec.name === "" || spec.version === "") {
    throw usageError(`"${text}" names no package; write <package> or <package>@<version>.`);
  }
  return spec;
}

/** As {@link parsePackageSpec}, for what concerns one version. @throws {CliError} when none is named. */
export function requireVersion(text: string): Required<PackageSpec> {
  const { name, version } = parsePackageSpec(text);
  if (version !== undefined) return { name, version };
  throw usageError(`Name the version too: ${name}@<version>`);
}
