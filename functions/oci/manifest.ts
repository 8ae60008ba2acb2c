import { createHash } from "node:crypto";
import * as z from "zod";
import type { JsonObject } from "../../shared/domain/json.ts";
import { InvalidInputError } from "../../shared/errors.ts";
import { parseJson } from "../../shared/http/json-body.ts";
import { OciInvalidError } from "./errors.ts";
import {
  isDistributable,
  manifestKind,
  type ManifestKind,
  OCI_INDEX,
  OCI_MANIFEST,
} from "./media-types.ts";
import { findDigest, type OciDigest } from "./names.ts";

/** The specification asks for 4 MiB at least; no more fits through a Lambda function. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** Layers of an image, or manifests of an index. Images have a hundred layers at most, and the largest indexes some dozens. */
const MAX_DESCRIPTORS = 1000;
const MAX_JSON_DEPTH = 32;

const digest = z
  .string()
  .refine((text) => findDigest(text) !== undefined, "is no digest known here");

const descriptor = z.looseObject({
  mediaType: z.string().min(1).max(255),
  digest,
  size: z.int().min(0),
  urls: z.array(z.string()).max(100).nullish(),
  artifactType: z.string().max(255).nullish(),
  platform: z.record(z.string(), z.json()).nullish(),
});

/** Go writes an empty list as null, and reads null as nothing; so does every client. */
const manifestBody = z.looseObject({
  schemaVersion: z.literal(2),
  artifactType: z.string().max(255).nullish(),
  config: descriptor.nullish(),
  layers: z.array(descriptor).max(MAX_DESCRIPTORS).nullish(),
  manifests: z.array(descriptor).max(MAX_DESCRIPTORS).nullish(),
  subject: descriptor.nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

export type Descriptor = z.infer<typeof descriptor>;

/** A manifest that was pushed, read and found sound in itself; whether what it refers to is there is yet to be seen. */
export interface Manifest {
  readonly kind: ManifestKind;
  /** Exactly as they came. */
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: OciDigest;
  /** Of the artifact; for an image without one its config's media type. Empty for an index without one. */
  readonly artifactType: string;
  readonly config: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest.
 *
 * @param contentType - what the client says it is; its parameters do not count.
 * @param claimed - the digest in the URL; without one it is the sha256.
 * @throws {OciInvalidError}
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string | undefined,
  claimed: OciDigest | undefined,
): Manifest {
  const digest = digestOf(bytes, claimed);
  const value = parseBody(bytes);
  const mediaType = mediaTypeOf(value, contentType);
  const kind = manifestKind(mediaType);
  if (kind === undefined) {
    throw invalid(
      `"${mediaType.slice(0, 100)}" is no manifest that is served here; use OCI's media types, or docker's schema 2.`,
    );
  }
  const parsed = manifestBody.safeParse(value);
  if (!parsed.success) throw invalid(issuesOf(parsed.error));
  const { config, layers, manifests, subject, artifactType, annotations } = parsed.data;
  const isImage = kind === "image";
  if (isImage && (!config || layers === undefined)) {
    throw invalid("an image has a config and layers.");
  }
  if (!isImage && manifests === undefined) throw invalid("an index has manifests.");
  // One client would run what another, or a scanner, never sees: https://github.com/advisories/GHSA-77vh-xpmg-72qh
  if (isImage ? manifests : config || layers) {
    throw invalid(
      "it is an image and an index at once; an image has no manifests, an index neither config nor layers.",
    );
  }
  return {
    kind,
    bytes,
    mediaType,
    digest,
    artifactType: artifactType ?? (isImage ? (config?.mediaType ?? "") : ""),
    config: config ?? undefined,
    layers: layers ?? [],
    manifests: manifests ?? [],
    subject: subject ?? undefined,
    annotations: annotations ?? {},
  };
}

/** Digests of the blobs that must have been pushed before the manifest, each once. */
export function requiredBlobs({ config, layers }: Manifest): readonly string[] {
  const pushed = layers.filter(
    ({ mediaType, urls }) => isDistributable(mediaType) && (!urls || urls.length === 0),
  );
  return [...new Set([...(config === undefined ? [] : [config]), ...pushed].map((d) => d.digest))];
}

/** How a list of referrers describes a manifest: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers */
export function describe(manifest: Manifest): JsonObject {
  const { mediaType, digest, bytes, artifactType, annotations } = manifest;
  return {
    mediaType,
    digest: digest.text,
    size: bytes.length,
    ...(artifactType === "" ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function digestOf(bytes: Uint8Array, claimed: OciDigest | undefined): OciDigest {
  const algorithm = claimed?.algorithm ?? "sha256";
  const text = `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
  if (claimed !== undefined && claimed.text !== text) {
    throw new OciInvalidError(
      "DIGEST_INVALID",
      `The manifest has the digest ${text}, not ${claimed.text}.`,
    );
  }
  const digest = findDigest(text);
  if (digest === undefined) throw new TypeError("a digest that we made is no digest");
  return digest;
}

const carrier = z.looseObject({
  mediaType: z.string().optional(),
  manifests: z.array(z.unknown()).nullish(),
});

function parseBody(bytes: Uint8Array): z.infer<typeof carrier> {
  try {
    // With its byte order mark, if it has one: clients take none, and JSON has none.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const parsed = carrier.safeParse(parseJson(text, MAX_JSON_DEPTH));
    if (parsed.success) return parsed.data;
  } catch (error) {
    if (error instanceof InvalidInputError) throw invalid(error.message);
    throw invalid("it is not UTF-8.");
  }
  throw invalid(
    "it is not a JSON object with a mediaType that is text and manifests that are a list.",
  );
}

function mediaTypeOf(value: z.infer<typeof carrier>, contentType: string | undefined): string {
  const sent = contentType?.split(";")[0]?.trim() ?? "";
  const own = value.mediaType ?? "";
  if (sent !== "" && own !== "" && sent !== own) {
    throw invalid(
      `its mediaType is "${own.slice(0, 100)}", but the header Content-Type says "${sent.slice(0, 100)}".`,
    );
  }
  if (sent !== "" || own !== "") return sent === "" ? own : sent;
  return value.manifests === undefined ? OCI_MANIFEST : OCI_INDEX;
}

function issuesOf(error: z.ZodError): string {
  const issues = error.issues
    .slice(0, 3)
    .map(({ path, message }) => `/${path.join("/")}: ${message}`);
  return `${issues.join("; ")}.`;
}

const invalid = (why: string): OciInvalidError =>
  new OciInvalidError("MANIFEST_INVALID", `The manifest is not valid: ${why}`);
