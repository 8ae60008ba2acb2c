import { DIGEST_HEX_LENGTH, type Digests, isDigest } from "../../shared/domain/digest.ts";
import { OciInvalidError } from "./errors.ts";

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** Clients limit `<registry>/<image>` to 255; a slug has 63 at most. */
const MAX_IMAGE_LENGTH = 191;

/** Algorithms that a blob or manifest can be named by. */
const ALGORITHMS = ["sha256", "sha512"] as const;

/** A digest as clients name it, and as blob storage checks it. */
export interface OciDigest {
  /** `sha256:<hex>` or `sha512:<hex>`. */
  readonly text: string;
  readonly algorithm: (typeof ALGORITHMS)[number];
  readonly hex: string;
  /** What the bytes must turn out to have. */
  readonly expected: Partial<Digests>;
}

/** The name of an image within its registry, one or more components. @throws {OciInvalidError} */
export function parseImageName(text: string): string {
  const valid =
    text.length <= MAX_IMAGE_LENGTH && text.split("/").every((part) => COMPONENT.test(part));
  if (valid) return text;
  throw new OciInvalidError(
    "NAME_INVALID",
    `"${text.slice(0, 100)}" is not the name of an image: components of a-z and 0-9, joined by . _ - and divided by /, ${MAX_IMAGE_LENGTH} characters at most.`,
  );
}

/** Whether a text can be a tag. */
export const isTag = (text: string): boolean => TAG.test(text);

/** @throws {OciInvalidError} */
export function parseTag(text: string): string {
  if (isTag(text)) return text;
  throw new OciInvalidError(
    "TAG_INVALID",
    `"${text.slice(0, 100)}" is not a tag: up to 128 of a-z, A-Z, 0-9, _ . -, not starting with . or -.`,
  );
}

/** `undefined` for what is no digest that we can check. */
export function findDigest(text: string): OciDigest | undefined {
  const colon = text.indexOf(":");
  const algorithm = ALGORITHMS.find((name) => name === text.slice(0, colon));
  const hex = text.slice(colon + 1);
  if (algorithm === undefined || !isDigest(algorithm, hex)) return undefined;
  return { text, algorithm, hex, expected: { [algorithm]: hex } };
}

/** @throws {OciInvalidError} */
export function parseDigest(text: string): OciDigest {
  const digest = findDigest(text);
  if (digest !== undefined) return digest;
  const forms = ALGORITHMS.map((name) => `${name}:<${DIGEST_HEX_LENGTH[name]} hexadecimal digits>`);
  throw new OciInvalidError(
    "DIGEST_INVALID",
    `"${text.slice(0, 150)}" is not a digest that is known here: use ${forms.join(" or ")}, in lower case.`,
  );
}

/** What the last part of a manifest's URL names. */
export type Reference =
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "digest"; readonly digest: OciDigest };

/** A tag holds no colon and a digest always does. @throws {OciInvalidError} */
export function parseReference(text: string): Reference {
  return text.includes(":")
    ? { kind: "digest", digest: parseDigest(text) }
    : { kind: "tag", tag: parseTag(text) };
}

/**
 * As {@link parseReference}, but `undefined` for what can be no tag: to who asks for it, it is as unknown as a
 * tag that is not there (the conformance suite pulls `.INVALID_MANIFEST_NAME` and wants 404).
 */
export function findReference(text: string): Reference | undefined {
  return text.includes(":") || isTag(text) ? parseReference(text) : undefined;
}
