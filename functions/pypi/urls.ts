/** Every path below starts at the deployment's root. Names are normalised, versions in normal form. */

export const simpleUrl = (registry: string, project: string): string =>
  `/pypi/${registry}/simple/${encodeURIComponent(project)}/`;

export function fileUrl(registry: string, project: string, version: string, name: string): string {
  return `/pypi/${registry}/files/${[project, version, name].map(encodeURIComponent).join("/")}`;
}

/** https://docs.pypi.org/api/integrity/ */
export function provenanceUrl(
  registry: string,
  project: string,
  version: string,
  name: string,
): string {
  const path = [project, version, name].map(encodeURIComponent).join("/");
  return `/pypi/${registry}/integrity/${path}/provenance`;
}
