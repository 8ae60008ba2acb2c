import * as z from "zod";
import {
  ECOSYSTEMS,
  REGISTRY_KINDS,
  SLUG_PATTERN,
  VISIBILITIES,
} from "../../../shared/domain/registry.ts";
import { closed, line, prose, time } from "./common.ts";

const slug = z
  .string()
  .regex(SLUG_PATTERN, "is not a slug: use 1 to 63 of a-z, 0-9, - and _")
  .meta({
    description: "Names the registry in URLs; cannot be changed later.",
    examples: ["my-packages"],
  });

const policies = closed({
  mutableFiles: z
    .boolean()
    .meta({ description: "Files of a version may be replaced and deleted one by one." }),
  restoreDays: z
    .int()
    .min(0)
    .max(365)
    .meta({ description: "Days in which what was deleted can be restored." }),
  maxFileBytes: z
    .int()
    .min(1)
    .max(5 * 1024 ** 4)
    .meta({ description: "Largest file that may be published, in bytes." }),
  immutableTags: z.boolean().meta({
    description:
      "A tag that exists cannot be moved or deleted, unless mutableTags has a pattern for it.",
  }),
  mutableTags: z
    .array(line(1, 128))
    .max(50)
    .meta({
      description: "Patterns of tags that can be moved all the same; * stands for any characters.",
      examples: [["latest", "nightly-*"]],
    }),
  snapshotBuilds: z
    .int()
    .min(0)
    .max(10_000)
    .meta({ description: "Builds of a Maven snapshot that are kept; 0 keeps all." }),
  snapshotDays: z.int().min(0).max(3650).meta({
    description: "Days after which builds of a Maven snapshot go, except the newest; 0: never.",
  }),
});

const appearance = {
  description: prose(0, 2000),
  emoji: line(0, 16),
  colour: z.string().regex(/^(?:#[0-9A-Fa-f]{6})?$/, "is not #rrggbb, or empty"),
  labels: z.array(line(1, 63)).max(20),
};

const edits = {
  description: appearance.description.optional(),
  emoji: appearance.emoji.optional(),
  colour: appearance.colour.optional(),
  labels: appearance.labels.optional(),
  policies: policies.partial().optional(),
};

export const newRegistry = closed({
  slug,
  ecosystem: z.enum(ECOSYSTEMS),
  kind: z.enum(REGISTRY_KINDS).default("source"),
  visibility: z.enum(VISIBILITIES).default("private"),
  ...edits,
}).meta({ id: "NewRegistry" });

export const registryEdits = closed({
  visibility: z.enum(VISIBILITIES).optional(),
  ...edits,
}).meta({ id: "RegistryEdits", description: "What is absent stays as it is." });

export const registry = closed({
  id: z
    .string()
    .meta({ description: "Differs from that of any earlier registry of the same slug." }),
  slug: z.string(),
  ecosystem: z.enum(ECOSYSTEMS),
  kind: z.enum(REGISTRY_KINDS),
  visibility: z.enum(VISIBILITIES),
  ...appearance,
  policies,
  createdAt: time,
  updatedAt: time,
  url: z.url().meta({ description: "What clients of the ecosystem are pointed at." }),
}).meta({ id: "Registry" });
