import type { Lockfile, LockedPackage } from "./locked.ts";

/**
 * References of images, one a line: `docker.io/library/alpine:3.20`, `grafana/grafana@sha256:…`. A host before the name
 * is left out: the registry that is asked decides who has it. Without a tag `latest` is meant, as docker has it.
 * https://github.com/distribution/reference/blob/main/reference.go
 */
export function readImageList(text: string): Lockfile {
  const packages: LockedPackage[] = [];
  const skipped: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [reference = ""] = line
      .replace(/(^|\s)#.*$/, "")
      .trim()
      .split(/\s/, 1);
    if (reference === "") continue;
    const [, host, rest = ""] = /^([^/]*[.:][^/]*\/|localhost\/)?(.+)$/.exec(reference) ?? [];
    const [, name, tag = "latest", digest] =
      /^([a-z0-9][a-z0-9._/-]*)(?::([\w][\w.-]{0,127}))?(?:@(sha(?:256|512):[0-9a-f]{64,128}))?$/.exec(
        host === undefined ? reference : rest,
      ) ?? [];
    if (name === undefined) skipped.push(reference);
    else packages.push({ package: name, version: digest ?? tag, digests: [] });
  }
  return { packages, skipped };
}
