import type { WriteOp } from "../ports/table.ts";

/**
 * Remembers a proof of identity that was used, for as long as it could be used again. Fails when it was used before.
 *
 * @param digest SHA-256 of the proof's signature, hexadecimal: the proof itself is not stored.
 */
export const useProofOp = (digest: string, expiresAtSeconds: number): WriteOp => ({
  op: "put",
  item: { key: { pk: `PROOF#${digest}`, sk: "PROOF" }, attributes: {}, expiresAtSeconds },
  conditions: [{ kind: "absent" }],
});
