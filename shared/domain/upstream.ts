import type { EcosystemName } from "./registry.ts";

/** AWS services whose registries want a token that is made on demand. */
export const AWS_REGISTRY_SERVICES = ["codeartifact", "ecr"] as const;
export type AwsRegistryService = (typeof AWS_REGISTRY_SERVICES)[number];

export const UPSTREAM_AUTHS = ["none", "basic", "bearer", "header", "aws"] as const;

/** How we prove to an upstream who we are; the secret itself is sealed apart from this. */
export type UpstreamAuth =
  | { readonly kind: "none" }
  | { readonly kind: "basic"; readonly username: string }
  | { readonly kind: "bearer" }
  /** A header of this name holds the secret as it is. */
  | { readonly kind: "header"; readonly name: string }
  /** A short-lived token of an AWS service, made by this deployment's own identity or a role that it may take. */
  | {
      readonly kind: "aws";
      readonly service: AwsRegistryService;
      readonly region: string;
      /** Empty: our own identity. */
      readonly roleArn: string;
      /** CodeArtifact's domain; empty for ECR. */
      readonly domain: string;
      /** Account of that domain; empty: our own. */
      readonly domainOwner: string;
    };

/** Whether it is nothing without a secret that somebody must give. */
export const needsSecret = ({ kind }: UpstreamAuth): boolean =>
  kind === "basic" || kind === "bearer" || kind === "header";

/** A registry of somebody else that proxy registries read from. */
export interface Upstream {
  readonly id: string;
  /** Names it; as a registry's slug, among upstreams. */
  readonly key: string;
  readonly ecosystem: EcosystemName;
  /** Where its paths begin, without a slash at the end: `https://registry.npmjs.org`, `https://pypi.org/simple`. */
  readonly url: string;
  readonly description: string;
  readonly auth: UpstreamAuth;
  /** See `services/upstreams/sealed-text.ts`; empty without a secret. */
  readonly sealedSecret: string;
  /** How long its answer may take to begin. */
  readonly timeoutMs: number;
  /** It may be on loopback or a private network, and be spoken to without TLS. */
  readonly allowPrivate: boolean;
  /** It is not asked for anything: what is cached is all there is. */
  readonly offline: boolean;
  /** Patterns of names that it is asked for; none: all. */
  readonly include: readonly string[];
  /** Patterns of names that it is never asked for. */
  readonly exclude: readonly string[];
  /** How long a document of its counts as fresh, in seconds. */
  readonly documentTtlSeconds: number;
  /** How long it is believed that something is missing there, in seconds. */
  readonly missingTtlSeconds: number;
  /** Largest file that is taken from it. */
  readonly maxFileBytes: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export const DEFAULT_UPSTREAM = {
  description: "",
  timeoutMs: 10_000,
  allowPrivate: false,
  offline: false,
  include: [],
  exclude: [],
  documentTtlSeconds: 300,
  missingTtlSeconds: 60,
  maxFileBytes: 10 * 1024 ** 3,
} as const satisfies Partial<Upstream>;

/** An upstream that most people need, by its key. */
export interface UpstreamPreset {
  readonly key: string;
  readonly ecosystem: EcosystemName;
  readonly url: string;
  readonly description: string;
}

/** The official registry of each ecosystem that has one; the first of an ecosystem is what `official` means. */
export const UPSTREAM_PRESETS: readonly UpstreamPreset[] = [
  {
    key: "npmjs",
    ecosystem: "npm",
    url: "https://registry.npmjs.org",
    description: "The public npm registry",
  },
  {
    key: "pypi",
    ecosystem: "pypi",
    url: "https://pypi.org/simple",
    description: "The Python Package Index",
  },
  {
    key: "maven-central",
    ecosystem: "maven",
    url: "https://repo.maven.apache.org/maven2",
    description: "Maven Central",
  },
  {
    key: "docker-hub",
    ecosystem: "oci",
    url: "https://registry-1.docker.io",
    description: "Docker Hub",
  },
  {
    key: "google-maven",
    ecosystem: "maven",
    url: "https://maven.google.com",
    description: "Google's Maven repository",
  },
  {
    key: "gradle-plugins",
    ecosystem: "maven",
    url: "https://plugins.gradle.org/m2",
    description: "Gradle's plugin portal",
  },
  {
    key: "ghcr",
    ecosystem: "oci",
    url: "https://ghcr.io",
    description: "GitHub's container registry",
  },
  { key: "quay", ecosystem: "oci", url: "https://quay.io", description: "Quay" },
  {
    key: "ecr-public",
    ecosystem: "oci",
    url: "https://public.ecr.aws",
    description: "Amazon's public container registry",
  },
];

/** The preset of a key; `undefined` when there is none. */
export function presetOf(key: string): UpstreamPreset | undefined {
  return UPSTREAM_PRESETS.find((preset) => preset.key === key);
}

/** The official registry of an ecosystem; `undefined` when it has none. */
export function officialPreset(ecosystem: EcosystemName): UpstreamPreset | undefined {
  return UPSTREAM_PRESETS.find((preset) => preset.ecosystem === ecosystem);
}
