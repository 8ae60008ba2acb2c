import type { EcosystemName } from "../../shared/domain/registry.ts";

interface EcosystemFacts {
  /** Movable tags are part of its protocol. */
  readonly hasTags: boolean;
  /** Path under which its clients download a file, encoded. */
  downloadPath(registry: string, packageName: string, version: string, path: string): string;
}

const encoded = (text: string): string => text.split("/").map(encodeURIComponent).join("/");

/** What the API tells of each ecosystem beyond its records; a new one does not compile without. */
export const ECOSYSTEM_FACTS: Readonly<Record<EcosystemName, EcosystemFacts>> = {
  generic: {
    hasTags: false,
    downloadPath: (registry, packageName, version, path) =>
      `/generic/${registry}/${encoded(packageName)}/${encoded(version)}/${encoded(path)}`,
  },
  npm: {
    hasTags: true,
    downloadPath: (registry, packageName, _version, path) =>
      `/npm/${registry}/${packageName.split("/").map(encodeScoped).join("/")}/-/${encoded(path)}`,
  },
};

/** npm clients leave the @ of a scope as it is. */
const encodeScoped = (text: string): string => encodeURIComponent(text).replace(/^%40/, "@");
