import { Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";
import * as z from "zod";

/** Tells cdk-nag why a role has a right to all that the pattern `arn` covers; for no other right of it. */
export function acknowledgeWildcard(role: IConstruct, arn: string, reason: string): void {
  Validations.of(role).acknowledge({ id: wildcardFinding(Stack.of(role), arn), reason });
}

/** cdk-nag's own name of the finding that a role has a right to the pattern `arn`. */
export function wildcardFinding(stack: Stack, arn: string): string {
  return `AwsSolutions-IAM5[Resource::${flatten(stack.resolve(arn))}]`;
}

const intrinsicSchema = z.union([
  z.string(),
  z.strictObject({ Ref: z.string() }),
  z.strictObject({ "Fn::ImportValue": z.string() }),
  z.strictObject({ "Fn::GetAtt": z.tuple([z.string(), z.string()]) }),
]);
const joinSchema = z.strictObject({
  "Fn::Join": z.tuple([z.literal(""), z.array(intrinsicSchema)]),
});

/** An ARN as cdk-nag writes it: `<LogicalId>`, `<LogicalId.Attribute>`, the name of an import. */
function flatten(value: unknown): string {
  const joined = joinSchema.safeParse(value);
  const parts = joined.success ? joined.data["Fn::Join"][1] : [intrinsicSchema.parse(value)];
  return parts
    .map((part) => {
      if (typeof part === "string") return part;
      if ("Ref" in part) return `<${part.Ref}>`;
      if ("Fn::ImportValue" in part) return part["Fn::ImportValue"];
      return `<${part["Fn::GetAtt"].join(".")}>`;
    })
    .join("");
}
