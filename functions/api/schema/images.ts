import * as z from "zod";
import { isJsonObject, type JsonObject } from "../../../shared/domain/json.ts";
import { bytes, closed } from "./common.ts";
import { digests } from "./packages.ts";

const descriptor = closed({
  mediaType: z.string(),
  digest: z.string(),
  sizeBytes: bytes,
});

export const imageView = closed({
  registry: z.string(),
  package: z.string(),
  digest: z.string(),
  kind: z.enum(["image", "index"]),
  mediaType: z.string(),
  artifactType: z.string().optional(),
  digests,
  manifestBytes: bytes,
  compressedBytes: bytes.meta({
    description: "What a pull fetches: manifest, config and layers; 0 for an index.",
  }),
  platforms: z
    .array(closed({ platform: z.string(), digest: z.string(), sizeBytes: bytes }))
    .meta({ description: "Of an index, its manifests; of an image, itself." }),
  layers: z.array(descriptor),
  subject: z.string().optional().meta({ description: "Digest of what it is about." }),
  annotations: z.record(z.string(), z.string()),
  tags: z.array(z.string()).meta({ description: "Tags that point here." }),
  referrers: z.array(
    closed({
      digest: z.string(),
      artifactType: z.string(),
      kind: z.enum(["signature", "sbom", "attestation", "other"]),
    }),
  ),
  config: closed({
    created: z.string().optional(),
    author: z.string().optional(),
    user: z.string().optional(),
    workingDir: z.string().optional(),
    entrypoint: z.array(z.string()),
    command: z.array(z.string()),
    env: z.array(z.string()),
    labels: z.record(z.string(), z.string()),
  })
    .optional()
    .meta({ description: "Of a container image, as far as its configuration says." }),
  chart: z
    .custom<JsonObject>(isJsonObject)
    .optional()
    .meta({ type: "object", description: "Of a Helm chart: the fields of its Chart.yaml." }),
  install: z.array(z.string()).meta({ description: "Commands that fetch it, by tag and digest." }),
}).meta({ id: "Image" });
