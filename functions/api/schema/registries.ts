import * as z from "zod";
import { ECOSYSTEMS, REGISTRY_KINDS, VISIBILITIES } from "../../../shared/domain/registry.ts";
import { closed, line, prose, slugText, time } from "./common.ts";

const slug = slugText("slug").meta({
  description: "Names the registry in URLs; cannot be changed later.",
  examples: ["my-packages"],
});

const said = z.enum(["allow", "block"]);

const packageRule = closed({
  pattern: line(1, 220).meta({
    description: "Names of packages; * stands for any characters.",
    examples: ["@acme/*"],
  }),
  publish: said.optional().meta({ description: "Whether they can be published here." }),
  internal: said.optional().meta({ description: "Whether source registries are asked for them." }),
  external: said.optional().meta({
    description:
      "Whether proxies are asked for them. Without a word: unless a source registry has the name.",
  }),
}).meta({
  id: "PackageRule",
  description: "The first rule that matches a name and says something of a thing decides it.",
});

export const packageRules = z.array(packageRule).max(100);

const routing = {
  upstream: slugText("key").meta({
    description:
      "Proxy: key of the upstream that it caches; that of a preset, such as npmjs, is created when it is missing. Cannot be changed later.",
  }),
  upstreams: z.array(slugText("slug")).max(50).meta({
    description: "Composite: slugs of the registries that it reads from, the first asked first.",
  }),
  official: z.boolean().meta({
    description:
      "Composite: whether the ecosystem's official registry is asked last, through a proxy that is created when it is missing.",
  }),
  publishTo: z.union([slugText("slug"), z.literal("")]).meta({
    description:
      "Composite: which of its upstreams, a source registry, takes what is published here. Empty: nothing can be.",
  }),
  packageRules,
  minimumAgeDays: z.int().min(0).max(3650).meta({
    description: "Composite and proxy: versions younger than this are not there. 0: all are.",
  }),
  minimumAgeExempt: z
    .array(line(1, 220))
    .max(100)
    .meta({
      description: "Patterns of names that may be younger.",
      examples: [["@acme/*"]],
    }),
};

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
  upstreams: routing.upstreams.optional(),
  official: routing.official.optional(),
  publishTo: routing.publishTo.optional(),
  packageRules: routing.packageRules.optional(),
  minimumAgeDays: routing.minimumAgeDays.optional(),
  minimumAgeExempt: routing.minimumAgeExempt.optional(),
  upstream: routing.upstream.optional(),
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
  packageRules: routing.packageRules,
  upstream: z.string().optional().meta({ description: "Proxy: key of the upstream." }),
  upstreams: z.array(z.string()).optional().meta({ description: "Composite: slugs, in order." }),
  official: z.boolean().optional().meta({ description: "Composite only." }),
  officialRegistry: z.string().optional().meta({
    description: "Slug of the official registry's proxy; absent where it is not asked.",
  }),
  publishTo: z.string().optional().meta({ description: "Absent: nothing can be published." }),
  minimumAgeDays: z.int().optional().meta({ description: "Composite and proxy." }),
  minimumAgeExempt: z.array(z.string()).optional().meta({ description: "Composite and proxy." }),
  createdAt: time,
  updatedAt: time,
  url: z.url().meta({ description: "What clients of the ecosystem are pointed at." }),
}).meta({ id: "Registry" });
