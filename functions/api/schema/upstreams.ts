import * as z from "zod";
import { ECOSYSTEMS } from "../../../shared/domain/registry.ts";
import { AWS_REGISTRY_SERVICES } from "../../../shared/domain/upstream.ts";
import { bytes, closed, line, prose, slugText, time } from "./common.ts";

const DAY_SECONDS = 86_400;

const key = slugText("key").meta({
  description: "Names the upstream; patterns of a token's registries match it as they do slugs.",
  examples: ["npmjs"],
});

const auth = z
  .discriminatedUnion("kind", [
    closed({ kind: z.literal("none") }),
    closed({ kind: z.literal("basic"), username: line(1, 256) }),
    closed({ kind: z.literal("bearer") }),
    closed({
      kind: z.literal("header"),
      name: line(1, 64).meta({ description: "The header that holds the secret as it is." }),
    }),
    closed({
      kind: z.literal("aws"),
      service: z.enum(AWS_REGISTRY_SERVICES),
      region: line(1, 32),
      roleArn: line(0, 2048)
        .default("")
        .meta({ description: "Role to take first. Empty: the deployment's own identity." }),
      domain: line(0, 50).default("").meta({ description: "CodeArtifact's domain." }),
      domainOwner: line(0, 12)
        .default("")
        .meta({ description: "Account of that domain. Empty: the identity's own." }),
    }),
  ])
  .meta({ id: "UpstreamAuth", description: "How we prove to the upstream who we are." });

const settings = {
  url: line(1, 2000).meta({
    description: "Where its paths begin: https, without user name, query and fragment.",
    examples: ["https://registry.npmjs.org", "https://pypi.org/simple"],
  }),
  description: prose(0, 2000),
  auth,
  timeoutMs: z
    .int()
    .min(100)
    .max(120_000)
    .meta({ description: "How long its answer may take to begin." }),
  allowPrivate: z.boolean().meta({
    description:
      "It may be on loopback or a private network, and spoken to without TLS (scope `admin`).",
  }),
  offline: z.boolean().meta({
    description: "It is not asked for anything: what is cached is all there is.",
  }),
  include: z
    .array(line(1, 220))
    .max(100)
    .meta({ description: "Patterns of names that it is asked for. Empty: all." }),
  exclude: z
    .array(line(1, 220))
    .max(100)
    .meta({ description: "Patterns of names that it is never asked for." }),
  documentTtlSeconds: z
    .int()
    .min(0)
    .max(30 * DAY_SECONDS)
    .meta({ description: "How long a document of its counts as fresh." }),
  missingTtlSeconds: z
    .int()
    .min(0)
    .max(DAY_SECONDS)
    .meta({ description: "How long it is believed that something is missing there." }),
  maxFileBytes: z
    .int()
    .min(1)
    .max(5 * 1024 ** 4)
    .meta({ description: "Largest file that is taken from it." }),
};

const secret = z
  .string()
  .min(1)
  .max(16_384)
  .meta({ description: "Password, token or the header's value. Kept sealed, and never shown." });

const edits = { ...closed(settings).partial().shape, secret: secret.optional() };

export const newUpstream = closed({
  ...edits,
  key,
  ecosystem: z.enum(ECOSYSTEMS).optional(),
}).meta({
  id: "NewUpstream",
  description: "Ecosystem and URL may be absent where the key is that of a preset.",
});

export const upstreamEdits = closed(edits).meta({
  id: "UpstreamEdits",
  description:
    "What is absent stays as it is. A change of server or auth needs the secret once more.",
});

export const upstreamView = closed({
  key: z.string(),
  ecosystem: z.enum(ECOSYSTEMS),
  ...settings,
  maxFileBytes: bytes,
  hasSecret: z.boolean(),
  createdAt: time,
  updatedAt: time,
}).meta({ id: "Upstream" });
