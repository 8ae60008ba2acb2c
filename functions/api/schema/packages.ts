import * as z from "zod";
import { isJsonObject, type JsonObject } from "../../../shared/domain/json.ts";
import { PACKAGE_STATUSES, VERSION_STATES } from "../../../shared/domain/package.ts";
import { bytes, closed, count, cursor, limit, line, prose, time } from "./common.ts";

const hex = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`));

export const digests = closed({
  md5: hex(32),
  sha1: hex(40),
  sha256: hex(64),
  sha512: hex(128),
}).meta({ id: "Digests", description: "Lower-case hexadecimal." });

export const packagesQuery = closed({
  limit,
  cursor,
  prefix: line(1, 220).optional().meta({ description: "Only names that start with this." }),
  search: line(1, 200).optional().meta({
    description:
      "Only packages that match every word, best first; one page, not together with `prefix` or `cursor`.",
  }),
});

const projectUrls = z.array(z.url({ protocol: /^https?$/ }).max(2000)).max(20);

const standing = {
  status: z.enum(PACKAGE_STATUSES).meta({
    description:
      "`archived` takes no uploads; `quarantined` neither takes nor offers files; clients tell of `deprecated`. Of Python packages; always `active` elsewhere.",
  }),
  statusReason: prose(0, 2000).meta({
    description: "For people. A new status without a reason has none.",
  }),
  tracks: projectUrls.meta({ description: "Project pages elsewhere that it follows (PEP 708)." }),
  alternateLocations: projectUrls.meta({
    description: "Project pages of the same project elsewhere (PEP 708).",
  }),
};

export const packageView = closed({
  registry: z.string(),
  name: z.string(),
  state: z
    .enum(["active", "deleted"])
    .meta({ description: "Deleted ones are shown to those who may restore them." }),
  description: z.string(),
  keywords: z.array(z.string()),
  latestVersion: z
    .string()
    .optional()
    .meta({ description: "Absent when no version is available." }),
  versionCount: count,
  createdAt: time,
  updatedAt: time,
  ...standing,
}).meta({ id: "Package" });

/** What is absent stays as it is. */
export const packageChange = closed(standing).partial().meta({ id: "PackageChange" });

export const versionsQuery = closed({
  limit,
  cursor,
  state: z.enum(VERSION_STATES).optional().meta({
    description:
      "Only versions in this state. Without it: those that can be installed. Others than `published`, `deprecated` and `archived` need the scope `packages:delete`.",
  }),
});

const version = {
  registry: z.string(),
  package: z.string(),
  version: z.string(),
  state: z.enum(VERSION_STATES),
  deprecation: z
    .string()
    .meta({ description: "Words for those who install it; empty unless deprecated." }),
  publishedAt: time.optional().meta({
    description: "Absent where the upstream that it is from does not say.",
  }),
  publishedBy: z.string(),
  sizeBytes: bytes,
  fileCount: count,
  downloads: count.meta({ description: "Counted in batches: may lag a little." }),
  origin: z.string().optional().meta({
    description: "Slug of the registry that it is from, where a composite or proxy shows it.",
  }),
  deletedAt: time.optional(),
  restoreUntil: time
    .optional()
    .meta({ description: "Until then a deleted version can be restored." }),
};

export const versionView = closed(version).meta({ id: "Version" });
export const versionDetails = closed({
  ...version,
  metadata: z.custom<JsonObject>(isJsonObject).meta({
    type: "object",
    description: "What the ecosystem knows of it, such as the manifest in a package.json.",
  }),
}).meta({ id: "VersionDetails" });

const onlyFile = line(1, 1000).optional().meta({
  description: "Only this file of the version, where clients know of that (Python).",
});
export const deprecation = closed({ message: prose(1, 2000), file: onlyFile }).meta({
  id: "Deprecation",
});
export const undeprecation = closed({ file: onlyFile });

export const fileView = closed({
  path: z.string(),
  sizeBytes: bytes,
  contentType: z.string(),
  digests,
  createdAt: time,
  downloadUrl: z.url(),
}).meta({ id: "File" });

export const tagParam = line(1, 200).meta({ description: "The tag's name." });
export const tagTarget = closed({ version: line(1, 256) }).meta({ id: "TagTarget" });
export const tagView = closed({ name: z.string(), version: z.string(), updatedAt: time }).meta({
  id: "Tag",
});
