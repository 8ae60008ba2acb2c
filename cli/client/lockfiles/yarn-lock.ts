import { digestsOfIntegrity, type Lockfile, LockfileError, type LockedPackage } from "./locked.ts";

/** `yarn.lock` of Yarn 1 and of later ones, as Yarn writes it. @throws {LockfileError} */
export function readYarnLock(text: string): Lockfile {
  if (/^__metadata:/m.test(text)) return readBerry(text);
  if (/^# yarn lockfile v1/m.test(text)) return readClassic(text);
  throw new LockfileError("it is neither of Yarn 1 nor of a later one");
}

/** Blocks that begin with a line that is not indented. */
const blocks = (text: string): readonly string[] =>
  text
    .split(/\r?\n(?=[^\s#])/)
    .filter((block) => /^(?!__)[^\s#].*:\r?$/m.test(block) && /^ {2}version:? /m.test(block));

function readClassic(text: string): Lockfile {
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  for (const block of blocks(text)) {
    const [, spec = ""] = /^"?((?:@[^/@"]+\/)?[^@"]+@[^",]*)/m.exec(block) ?? [];
    const [, version] = /^ {2}version "(.+)"\r?$/m.exec(block) ?? [];
    const [, resolved = ""] = /^ {2}resolved "(.+)"\r?$/m.exec(block) ?? [];
    const [, integrity] = /^ {2}integrity (.+?)\r?$/m.exec(block) ?? [];
    // An alias is written `alias@npm:name@range`; a tarball of a registry lies in the folder `/-/`.
    const [, name] =
      /@npm:((?:@[^/@]+\/)?[^@]+)@/.exec(spec) ?? /^((?:@[^/@]+\/)?[^@]+)@/.exec(spec) ?? [];
    const [, sha1] = /#([0-9a-f]{40})$/.exec(resolved) ?? [];
    if (name === undefined || version === undefined || !/^https?:.*\/-\/.*\.tgz/.test(resolved)) {
      skipped.push(spec);
      continue;
    }
    const sums = digestsOfIntegrity(integrity);
    const digests = sums.length > 0 || sha1 === undefined ? sums : [`sha1:${sha1}`];
    packages.push({ package: name, version, digests });
  }
  return { packages, skipped };
}

/** Its sums are of archives that Yarn makes itself, so that they cannot be held against a registry's. */
function readBerry(text: string): Lockfile {
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  for (const block of blocks(text)) {
    const [, resolution = ""] = /^ {2}resolution: "(.+)"\r?$/m.exec(block) ?? [];
    const [, name, version] = /^((?:@[^/@]+\/)?[^@]+)@npm:([^:]+)$/.exec(resolution) ?? [];
    if (name !== undefined && version !== undefined) {
      packages.push({ package: name, version, digests: [] });
    } else if (!resolution.includes("@workspace:")) {
      skipped.push(resolution);
    }
  }
  return { packages, skipped };
}
