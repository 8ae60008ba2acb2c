import type { JsonObject } from "../../shared/domain/json.ts";
import { InvalidInputError } from "../../shared/errors.ts";
import { parseJson } from "../../shared/http/json-body.ts";
import { bundleSchema, type PackageBody, parseWith, statementSchema } from "./schema.ts";

const MAX_BUNDLE_BYTES = 1024 * 1024;
const MAX_BUNDLE_DEPTH = 32;
export const BUNDLE_CONTENT_TYPE = "application/vnd.dev.sigstore.bundle+json";

/** A Sigstore bundle that came with a publish. */
export interface Provenance {
  /** As it was sent. */
  readonly bytes: Uint8Array;
  readonly predicateType: string;
}

/** The text of the one `.sigstore` attachment, or `undefined`. @throws {InvalidInputError} for several. */
export function findProvenance(body: PackageBody): string | undefined {
  const bundles = [...body.attachments].filter(([name]) => name.endsWith(".sigstore"));
  if (bundles.length > 1) {
    throw new InvalidInputError(
      "There is more than one provenance bundle (.sigstore); publish with one.",
    );
  }
  const [bundle] = bundles;
  if (bundle === undefined) return undefined;
  const { content_type: contentType = BUNDLE_CONTENT_TYPE, data = "" } = bundle[1];
  if (!contentType.startsWith("application/vnd.dev.sigstore.bundle")) {
    throw new InvalidInputError(
      `The provenance has the content type "${contentType.slice(0, 80)}"; a Sigstore bundle is expected.`,
    );
  }
  return data;
}

/**
 * Checks that a bundle is well formed and speaks of this very tarball, as npm's registry does
 * (https://github.com/npm/attestation, and pacote/lib/registry.js for what clients then check). Its
 * signature is for clients to verify: they hold Sigstore's trust root.
 *
 * @throws {InvalidInputError}
 */
export function parseProvenance(
  text: string,
  packageName: string,
  version: string,
  sha512: string,
): Provenance {
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_BUNDLE_BYTES) {
    throw new InvalidInputError(
      `The provenance bundle is larger than ${MAX_BUNDLE_BYTES} bytes, the limit here.`,
    );
  }
  const bundle = parseBundle(text);
  const payload = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString("utf8");
  const statement = parseWith(
    statementSchema,
    parseJson(payload, MAX_BUNDLE_DEPTH),
    "The statement of the provenance",
  );
  const [subject] = statement.subject;
  const purl = purlOf(packageName, version);
  if (subject?.name !== purl) {
    throw new InvalidInputError(
      `The provenance is of "${(subject?.name ?? "").slice(0, 200)}", but this is ${purl}.`,
    );
  }
  if (Object.entries(subject.digest).find(([name]) => name === "sha512")?.[1] !== sha512) {
    throw new InvalidInputError(
      "The provenance is of another tarball: its sha512 differs from that of the published one.",
    );
  }
  return { bytes, predicateType: statement.predicateType };
}

/** What `GET /-/npm/v1/attestations/<package>@<version>` answers. */
export function renderAttestations(predicateType: string, bundle: unknown): unknown {
  return { attestations: [{ predicateType, bundle }] };
}

/** What a version's `dist` says of its provenance; the URL comes on top when it is rendered. */
export function distAttestations(provenance: Provenance): JsonObject {
  return { provenance: { predicateType: provenance.predicateType } };
}

function parseBundle(text: string) {
  let value: unknown;
  try {
    value = parseJson(text, MAX_BUNDLE_DEPTH);
  } catch {
    throw new InvalidInputError(
      `The provenance bundle is not valid JSON, or nested more than ${MAX_BUNDLE_DEPTH} levels deep.`,
    );
  }
  return parseWith(bundleSchema, value, "The provenance bundle");
}

/** https://github.com/package-url/purl-spec, as npm-package-arg writes it. */
function purlOf(packageName: string, version: string): string {
  return `pkg:npm/${packageName.replace(/^@/, "%40")}@${version}`;
}
