import * as z from "zod";
import { InvalidInputError } from "../../shared/errors.ts";
import { parseJson } from "../../shared/http/json-body.ts";

const MAX_DEPTH = 32;
const MAX_ATTESTATIONS = 16;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The types that the specification knows, one attestation of each. */
const PREDICATES: ReadonlySet<string> = new Set([
  "https://docs.pypi.org/attestations/publish/v1",
  "https://slsa.dev/provenance/v1",
]);

/** https://packaging.python.org/en/latest/specifications/index-hosted-attestations/#attestation-objects */
const attestationSchema = z.object({
  version: z.literal(1),
  verification_material: z.object({
    certificate: z.string().regex(BASE64),
    transparency_entries: z.array(z.record(z.string(), z.json())).min(1).max(8),
  }),
  envelope: z.object({
    statement: z.string().regex(BASE64),
    signature: z.string().regex(BASE64),
  }),
});
const attestationsSchema = z.array(attestationSchema).min(1).max(MAX_ATTESTATIONS);

const statementSchema = z.object({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  subject: z
    .array(z.object({ name: z.string(), digest: z.object({ sha256: z.string() }) }))
    .length(1),
  predicateType: z.string(),
});

export const PROVENANCE_CONTENT_TYPE = "application/vnd.pypi.integrity.v1+json";

/**
 * Checks that attestations are well formed and speak of this very file, and gives the provenance object that is served
 * (https://packaging.python.org/en/latest/specifications/index-hosted-attestations/#provenance-objects). Their signatures
 * are for clients to verify, who hold Sigstore's trust root; the publisher is named as what we know of it: the owner
 * of a token, not an identity that was proven to us.
 *
 * @throws {InvalidInputError}
 */
export function parseAttestations(text: string, fileName: string, sha256: string): string {
  const parsed = attestationsSchema.safeParse(parse(text, "The attestations"));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join("/") ?? "";
    throw refused(`at "${where}": ${issue?.message ?? "not what PEP 740 says"}`);
  }
  const types = new Set<string>();
  for (const { envelope } of parsed.data) {
    const payload = Buffer.from(envelope.statement, "base64").toString("utf8");
    const statement = statementSchema.safeParse(parse(payload, "The statement of an attestation"));
    if (!statement.success) throw refused("the statement is not one of in-toto v1");
    const { subject, predicateType } = statement.data;
    if (subject[0]?.name !== fileName || subject[0].digest.sha256 !== sha256) {
      throw refused("it is of another file");
    }
    if (!PREDICATES.has(predicateType)) {
      throw refused(`the predicate type "${predicateType.slice(0, 100)}" is not known`);
    }
    if (types.has(predicateType)) throw refused(`there are two of the type ${predicateType}`);
    types.add(predicateType);
  }
  const publisher = { kind: "Entrepot token", claims: null };
  return JSON.stringify({
    version: 1,
    attestation_bundles: [{ publisher, attestations: parsed.data }],
  });
}

function parse(text: string, what: string): unknown {
  try {
    return parseJson(text, MAX_DEPTH);
  } catch {
    throw new InvalidInputError(`${what} cannot be read as JSON of at most ${MAX_DEPTH} levels.`);
  }
}

const refused = (why: string): InvalidInputError =>
  new InvalidInputError(`An attestation was refused: ${why}.`, [
    { at: "attestations", problem: why },
  ]);
