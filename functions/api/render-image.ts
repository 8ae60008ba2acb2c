import * as z from "zod";
import type { Registry } from "../../shared/domain/registry.ts";
import type { ImageDetails } from "../../shared/services/images.ts";

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string(),
  size: z.number(),
  platform: z.record(z.string(), z.string()).optional(),
});

/** What the registry wrote of a manifest when it was pushed. */
const metadata = z.object({
  kind: z.enum(["image", "index"]),
  mediaType: z.string(),
  artifactType: z.string().optional(),
  layers: z.array(descriptor).default([]),
  manifests: z.array(descriptor).default([]),
  subject: z.string().optional(),
  annotations: z.record(z.string(), z.string()).default({}),
});

const texts = z.array(z.string()).nullish().catch(undefined);
const word = z.string().optional().catch(undefined);

/** A container's configuration, of which any part may be missing or nonsense: anyone may push one. */
const imageConfig = z.object({
  os: word,
  architecture: word,
  variant: word,
  created: word,
  author: word,
  config: z
    .object({
      User: word,
      WorkingDir: word,
      Entrypoint: texts,
      Cmd: texts,
      Env: texts,
      Labels: z.record(z.string(), z.string()).nullish().catch(undefined),
    })
    .nullish()
    .catch(undefined),
});

/** An image in the API's words. */
export function renderImage(
  registry: Registry,
  packageName: string,
  details: ImageDetails,
  baseUrl: string,
) {
  const known = metadata.parse(details.metadata);
  const config =
    details.config === undefined || details.isChart || known.kind === "index"
      ? undefined
      : imageConfig.parse(details.config);
  const own = platformName({
    ...(config?.os === undefined ? {} : { os: config.os }),
    ...(config?.architecture === undefined ? {} : { architecture: config.architecture }),
    ...(config?.variant === undefined ? {} : { variant: config.variant }),
  });
  const itself = { platform: own, digest: details.digest, sizeBytes: details.compressedBytes };
  const isContainer = config?.os !== undefined;
  return {
    registry: registry.slug,
    package: packageName,
    digest: details.digest,
    kind: known.kind,
    mediaType: known.mediaType,
    ...(known.artifactType === undefined ? {} : { artifactType: known.artifactType }),
    digests: details.digests,
    manifestBytes: details.manifestBytes,
    compressedBytes: details.compressedBytes,
    platforms:
      known.kind === "image"
        ? isContainer
          ? [itself]
          : []
        : known.manifests.map(({ platform, digest, size }) => ({
            platform: platformName(platform ?? {}),
            digest,
            sizeBytes: size,
          })),
    layers: known.layers.map(({ mediaType, digest, size }) => ({
      mediaType,
      digest,
      sizeBytes: size,
    })),
    ...(known.subject === undefined ? {} : { subject: known.subject }),
    annotations: known.annotations,
    tags: [...details.tags],
    referrers: details.referrers.map((referrer) => ({ ...referrer })),
    ...(isContainer ? { config: renderConfig(config) } : {}),
    ...(details.isChart && details.config !== undefined ? { chart: details.config } : {}),
    install: installCommands(registry, packageName, details, baseUrl),
  };
}

function renderConfig({ created, author, config }: z.infer<typeof imageConfig>) {
  return {
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    ...(config?.User === undefined ? {} : { user: config.User }),
    ...(config?.WorkingDir === undefined ? {} : { workingDir: config.WorkingDir }),
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    env: config?.Env ?? [],
    labels: config?.Labels ?? {},
  };
}

/** `linux/arm64/v8`; empty when nothing is known. */
function platformName(platform: Readonly<Record<string, string>>): string {
  const { os, architecture, variant } = platform;
  return [os, architecture, variant].filter((part) => part !== undefined).join("/");
}

function installCommands(
  registry: Registry,
  packageName: string,
  { digest, tags, isChart }: ImageDetails,
  baseUrl: string,
): string[] {
  const name = `${new URL(baseUrl).host}/${registry.slug}/${packageName}`;
  if (isChart)
    return tags.map((tag) => `helm pull oci://${name} --version ${tag.replaceAll("_", "+")}`);
  return [...tags.map((tag) => `docker pull ${name}:${tag}`), `docker pull ${name}@${digest}`];
}
