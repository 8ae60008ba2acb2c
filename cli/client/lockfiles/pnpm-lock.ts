import { digestsOfIntegrity, type Lockfile, LockfileError, type LockedPackage } from "./locked.ts";

/**
 * `pnpm-lock.yaml` of lockfile versions 5 to 9, as pnpm writes it: not YAML of any shape, so that it is read line by
 * line. https://github.com/pnpm/spec/tree/master/lockfile
 *
 * @throws {LockfileError}
 */
export function readPnpmLock(text: string): Lockfile {
  const lines = text.split(/\r?\n/);
  if (!lines.some((line) => line.startsWith("lockfileVersion: "))) {
    throw new LockfileError("it has no lockfileVersion");
  }
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  let isInPackages = false;
  let key = "";
  for (const line of lines) {
    if (/^\S/.test(line)) isInPackages = line === "packages:";
    if (!isInPackages) continue;
    key = /^ {2}(\S.*):$/.exec(line)?.[1]?.replace(/^(['"])(.*)\1$/, "$2") ?? key;
    const [, resolution] = /^ {4}resolution: \{(.*)\}$/.exec(line) ?? [];
    if (resolution === undefined) continue;
    const [, integrity] = /(?:^|[ ,])integrity: ([^,} ]+)/.exec(resolution) ?? [];
    const found = nameAndVersion(key);
    if (found === undefined || integrity === undefined) skipped.push(key);
    else packages.push({ ...found, digests: digestsOfIntegrity(integrity) });
  }
  return { packages, skipped };
}

/** `name@1.0.0`, before version 9 with a slash before it, before version 6 `/name/1.0.0`; with peers behind it. */
function nameAndVersion(key: string): Pick<LockedPackage, "package" | "version"> | undefined {
  const bare = key.replace(/\(.*$/, "").replace(/^\//, "");
  const [, name, version] =
    /^((?:@[^/@]+\/)?[^/@]+)@(\d[^:]*)$/.exec(bare) ??
    /^((?:@[^/@]+\/)?[^/@]+)\/(\d[^/_]*)(?:_.*)?$/.exec(bare) ??
    [];
  return name === undefined || version === undefined ? undefined : { package: name, version };
}
