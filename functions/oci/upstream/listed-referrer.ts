import * as z from "zod";
import { type JsonObject, property } from "../../../shared/domain/json.ts";
import { findDigest } from "../names.ts";

/** An entry of a list of referrers. */
export interface ListedReferrer {
  readonly digest: string;
  /** Empty where it says none. */
  readonly artifactType: string;
  readonly descriptor: JsonObject;
}

const MAX_DESCRIPTOR_LENGTH = 100 * 1024;
const schema = z.looseObject({ manifests: z.array(z.record(z.string(), z.json())).nullish() });

/** The entries of an index, those left out that nobody could pull. @throws {z.ZodError} */
export function listedReferrers(index: unknown): readonly ListedReferrer[] {
  return (schema.parse(index).manifests ?? []).flatMap((descriptor) => {
    const digest = property(descriptor, "digest");
    const artifactType = property(descriptor, "artifactType");
    if (typeof digest !== "string" || findDigest(digest) === undefined) return [];
    if (JSON.stringify(descriptor).length > MAX_DESCRIPTOR_LENGTH) return [];
    const type = typeof artifactType === "string" ? artifactType : "";
    return [{ digest, artifactType: type, descriptor }];
  });
}
