import { Stack } from "aws-cdk-lib";
import type { IRole } from "aws-cdk-lib/aws-iam";
import type { IConstruct } from "constructs";
import type { Grant } from "../config/schema.ts";

/**
 * Lambda takes 4 KB of environment, all variables together, of which the others need less than one
 * (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
 */
const MAX_BYTES = 3000;

/** A grant as the function reads it: `functions/lambda/iam-grants.ts` has its schema. */
interface WrittenGrant {
  readonly account: string;
  readonly role: string;
  readonly allow: "pull" | "publish";
  readonly registries: readonly string[];
}

/** The IAM roles that may exchange their identity for a token, gathered until the app is synthesised. */
export class RoleGrants {
  readonly #scope: IConstruct;
  readonly #grants: WrittenGrant[];

  constructor(scope: IConstruct, configured: readonly Grant[]) {
    this.#scope = scope;
    this.#grants = configured.map(({ roleArn, registries, allow }) => {
      const [, , , , account = "", role = ""] = roleArn.split(":");
      return { account, role: role.slice("role/".length), allow, registries };
    });
  }

  /** @throws when no registry is named, which would be easy to take for all of them. */
  add(role: IRole, allow: "pull" | "publish", registries: readonly string[]): void {
    if (registries.length === 0) {
      throw new Error(`Name the registries that ${role.node.path} may use, or "*" for all.`);
    }
    this.#grants.push({ account: role.env.account, role: role.roleName, allow, registries });
  }

  /**
   * JSON for the function's environment.
   *
   * @throws when it does not fit: grant a common role, or registries by pattern, instead of many single ones.
   */
  render(): string {
    const text = Stack.of(this.#scope).toJsonString(this.#grants);
    const bytes = Buffer.byteLength(JSON.stringify(this.#grants));
    if (bytes > MAX_BYTES) {
      throw new Error(
        `The grants of roles have ${bytes} bytes; ${MAX_BYTES} fit. Use fewer roles, or patterns of registries.`,
      );
    }
    return text;
  }
}
