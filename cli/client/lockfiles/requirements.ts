import type { Lockfile, LockedPackage } from "./locked.ts";

/**
 * `requirements.txt`: what is pinned with `==`. With `--hash` exactly the files with those sums are meant, otherwise all
 * of the version. https://pip.pypa.io/en/stable/reference/requirements-file-format/
 */
export function readRequirements(text: string): Lockfile {
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  const lines = text.replaceAll(/\\\r?\n/g, " ").split(/\r?\n/);
  for (const line of lines) {
    const words = line.replace(/(^|\s)#.*$/, "").trim();
    if (words === "" || (words.startsWith("-") && !/^(?:-r|-c|-e|--req|--con|--edi)/.test(words))) {
      continue;
    }
    const [, name, version] =
      /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([^\s;,*]+)\s*(?:;|--hash|$)/.exec(
        words,
      ) ?? [];
    if (name === undefined || version === undefined) {
      skipped.push(words.split(/\s/, 1)[0] ?? words);
      continue;
    }
    const digests = [...words.matchAll(/--hash[= ](sha256|sha512):([0-9a-fA-F]+)/g)].map(
      ([, algorithm = "", hex = ""]) => `${algorithm}:${hex.toLowerCase()}`,
    );
    packages.push({
      package: name,
      version,
      digests,
      ...(digests.length === 0 ? {} : { byDigest: true }),
    });
  }
  return { packages, skipped };
}
