import * as z from "zod";
import { bytes, closed, count, cursor, limit, line, pageOf, time } from "./common.ts";
import { digests } from "./packages.ts";

const texts = z.array(z.string()).readonly();
const map = z.record(z.string(), z.string()).readonly();
const problems = texts.meta({
  description: "Sentences on what could not be read; empty when everything was.",
});

const platform = closed({
  digest: z.string(),
  mediaType: z.string(),
  os: z.string().meta({ description: "Empty where neither index nor config says." }),
  architecture: z.string(),
  variant: z.string(),
  osVersion: z.string(),
  compressedBytes: bytes,
}).meta({ id: "ImagePlatform" });

const layer = closed({
  digest: z.string(),
  mediaType: z.string(),
  sizeBytes: bytes,
  createdBy: z.string().meta({ description: "The command that made it; empty when unknown." }),
}).meta({ id: "ImageLayer" });

const config = closed({
  created: z.string().optional(),
  author: z.string().optional(),
  os: z.string().optional(),
  osVersion: z.string().optional(),
  architecture: z.string().optional(),
  variant: z.string().optional(),
  user: z.string().optional(),
  workingDir: z.string().optional(),
  stopSignal: z.string().optional(),
  entrypoint: texts,
  command: texts,
  env: texts,
  labels: map,
  exposedPorts: texts,
  volumes: texts,
}).meta({
  id: "ImageConfig",
  description: "As the image says it, unchecked. Absent fields are absent there.",
});

const referrer = closed({
  kind: z.enum(["signature", "sbom", "attestation", "other"]),
  digest: z.string(),
  artifactType: z.string(),
  sizeBytes: bytes.optional(),
  annotations: map,
  by: z.enum(["subject", "tag", "index"]).meta({
    description:
      "How it says what it is about: in its `subject`, by a tag as cosign once set them, or as a part of the same index.",
  }),
}).meta({ id: "ImageReferrer" });

const install = closed({
  label: z.string(),
  command: z.string().meta({ description: "To be copied into a shell." }),
}).meta({ id: "InstallCommand" });

export const imageView = closed({
  registry: z.string(),
  package: z.string(),
  version: z.string().meta({ description: "The digest of the manifest." }),
  visibility: z.string(),
  kind: z.enum(["image", "index", "chart", "artifact"]),
  mediaType: z.string(),
  artifactType: z.string(),
  publishedAt: time,
  publishedBy: z.string(),
  downloads: count,
  digests: digests.optional().meta({ description: "Of the manifest." }),
  manifestBytes: bytes,
  compressedBytes: bytes.meta({ description: "What a client pulls besides the manifest." }),
  totalBytes: bytes
    .optional()
    .meta({ description: "Of all files, unpacked. Known once `contents` was asked for." }),
  fileCount: count.optional(),
  platforms: z.array(platform).readonly(),
  layers: z.array(layer).readonly(),
  config: config.optional(),
  annotations: map,
  subject: z.string().optional().meta({ description: "The digest of what this is about." }),
  referrers: z.array(referrer).readonly(),
  moreReferrers: z.boolean(),
  tags: texts.meta({ description: "That point here, the newest first, 100 at most." }),
  install: z.array(install).readonly(),
  problems,
}).meta({ id: "Image" });

export const contentsQuery = closed({
  limit,
  cursor,
  prefix: line(1, 4096).optional().meta({ description: "Only paths that start with this." }),
  depth: z.coerce.number<string>().pipe(z.int().min(1).max(256)).optional().meta({
    description:
      "Only so many levels below the last slash of `prefix`: 1 lists one folder. Default: all.",
    type: "integer",
    minimum: 1,
    maximum: 256,
  }),
});

const contentsEntry = closed({
  path: z.string(),
  type: z.enum(["file", "directory", "symlink", "hardlink", "other"]),
  sizeBytes: bytes,
  mode: z.int().meta({ description: "Permission bits." }),
  layer: count.meta({ description: "Position of the layer that it comes from, from 0." }),
  target: z.string().optional().meta({ description: "Of a link, as it is written." }),
}).meta({ id: "ImageFile" });

export const contentsView = closed({
  ...pageOf(contentsEntry).shape,
  items: z.array(contentsEntry).readonly(),
  fileCount: count.meta({ description: "Files of the whole image." }),
  totalBytes: bytes,
  complete: z.boolean(),
  problems,
}).meta({ id: "ImageContents" });

export const chartView = closed({
  chart: closed({
    apiVersion: z.string(),
    name: z.string(),
    version: z.string(),
    appVersion: z.string(),
    kubeVersion: z.string(),
    type: z.string(),
    description: z.string(),
    home: z.string(),
    icon: z.string(),
    deprecated: z.boolean(),
    keywords: texts,
    sources: texts,
    maintainers: z
      .array(closed({ name: z.string(), email: z.string(), url: z.string() }))
      .readonly(),
    dependencies: z
      .array(
        closed({
          name: z.string(),
          version: z.string(),
          repository: z.string(),
          condition: z.string(),
        }),
      )
      .readonly(),
    annotations: map,
  }).meta({ id: "ChartFields", description: "Of Chart.yaml; what it does not say is empty." }),
  readme: z.string(),
  values: z.string().meta({ description: "Text of values.yaml." }),
  install: z.array(install).readonly(),
  problems,
}).meta({ id: "Chart" });
