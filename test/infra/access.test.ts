import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import {
  type AccessOptions,
  accessMatrix,
  NO_OPTIONS,
  type ResourceName,
  rightsOf,
} from "../../infra/access/matrix.ts";
import { EVERY_OPTION, renderMatrix } from "../../infra/access/render.ts";
import { FUNCTIONS, PROTOCOL_FUNCTIONS } from "../../infra/functions.ts";
import { createTestStacks, EVERYTHING, type Resource, resourcesOf } from "./support.ts";

const textOrTexts = z.union([z.string(), z.array(z.string())]).transform((one) => [one].flat());
const roleSchema = z.object({
  AssumeRolePolicyDocument: z.object({
    Statement: z.array(z.object({ Principal: z.unknown(), Condition: z.unknown().optional() })),
  }),
  ManagedPolicyArns: z.undefined().optional(),
  Policies: z.array(
    z.object({
      PolicyDocument: z.object({
        Statement: z.array(
          z.object({
            Effect: z.literal("Allow"),
            Action: textOrTexts,
            Resource: z.unknown(),
            Condition: z.unknown().optional(),
          }),
        ),
      }),
    }),
  ),
});
const functionSchema = z.object({
  Description: z.string(),
  Role: z.object({ "Fn::GetAtt": z.tuple([z.string(), z.literal("Arn")]) }),
});

/**
 * How an ARN in a template is known to be the matrix' resource: by what it ends with, once references are written as
 * text. This does not use the code that makes the ARNs.
 */
const SHAPES: Readonly<Record<ResourceName, RegExp>> = {
  table: /^import:Table\w*Arn\w*$/,
  "table-index": /^import:Table\w*Arn\w*\/index\/gsi1$/,
  "table-stream": /^import:Table\w*StreamArn\w*$/,
  "any-stream": /^\*$/,
  bucket: /^import:Bucket\w*Arn\w*$/,
  blobs: /^import:Bucket\w*Arn\w*\/blobs\/sha256\/\*$/,
  staging: /^import:Bucket\w*Arn\w*\/staging\/\*$/,
  "signing-key": /^import:SigningKey\w*Arn\w*$/,
  "mac-key": /^import:MacKey\w*Arn\w*$/,
  "data-key": /^import:DataKey\w*Arn\w*$/,
  "index-queue": /^get:indexqueueQueue\w*Arn$/,
  "webhook-queue": /^get:webhookqueueQueue\w*Arn$/,
  "fetch-queue": /^(?:get:fetchqueueQueue|import:fetchqueueQueue)\w*Arn\w*$/,
  "upstream-roles": /^arn:aws:iam::111122223333:role\/readers\/ecr$/,
  "ecr-tokens": /^\*$/,
  "codeartifact-domains": /^arn:aws:codeartifact:eu-central-1:111122223333:domain\/shared$/,
  "codeartifact-bearers": /^\*$/,
  "stream-failures": /^get:streamfailures\w*Arn$/,
  logs: /^get:\w+Logs\w*Arn$/,
  traces: /^\*$/,
};

function arnText(value: unknown): string {
  if (typeof value === "string") return value;
  const intrinsic = Object(value);
  const imported = intrinsic["Fn::ImportValue"];
  if (typeof imported === "string") {
    return `import:${imported.replace(/^.*ExportsOutputFnGetAtt/, "")}`;
  }
  if ("Fn::GetAtt" in intrinsic) return `get:${[intrinsic["Fn::GetAtt"]].flat().join("")}`;
  if ("Fn::Join" in intrinsic) return intrinsic["Fn::Join"][1].map(arnText).join("");
  throw new Error(`an ARN that this test does not know: ${JSON.stringify(value)}`);
}

interface FunctionRole {
  readonly name: string;
  readonly role: z.infer<typeof roleSchema>;
}

/** The role of every function in the templates, by the function's name. */
function rolesOf(stacks: ReturnType<typeof createTestStacks>, prefix: string): FunctionRole[] {
  return [stacks.api, stacks.workers].flatMap((stack) => {
    const roles: ReadonlyMap<string, Resource> = resourcesOf(stack, "AWS::IAM::Role");
    return Array.from(resourcesOf(stack, "AWS::Lambda::Function").values(), (resource) => {
      const { Description, Role } = functionSchema.parse(resource.Properties);
      const role = roles.get(Role["Fn::GetAtt"][0]);
      return {
        name: Description.replace(`${prefix}: `, ""),
        role: roleSchema.parse(role?.Properties),
      };
    });
  });
}

const UPSTREAM_ACTIONS: ReadonlySet<string> = new Set([
  "sts:AssumeRole",
  "ecr:GetAuthorizationToken",
  "codeartifact:GetAuthorizationToken",
  "sts:GetServiceBearerToken",
]);

const VARIANTS = [
  { title: "without options", input: {}, prefix: "entrepot", enabled: false },
  { title: "with every option", input: EVERYTHING, prefix: "all", enabled: true },
] as const;

describe.each(VARIANTS)("roles $title", ({ input, prefix, enabled }) => {
  const stacks = createTestStacks(input);
  const roles = rolesOf(stacks, prefix);
  const matrix = accessMatrix({
    customerKey: enabled,
    tracing: true,
    objectLock: enabled,
    upstreamRoles: enabled,
    ecr: enabled,
    codeArtifact: enabled,
  });

  test("there is one for each function, which Lambda alone may take", () => {
    expect(roles.map(({ name }) => name).toSorted()).toEqual(
      FUNCTIONS.map(({ name }) => name).toSorted(),
    );
    for (const { role } of roles) {
      expect(role.AssumeRolePolicyDocument.Statement).toMatchObject([
        { Principal: { Service: "lambda.amazonaws.com" } },
      ]);
    }
  });

  test.each(FUNCTIONS.map(({ name }) => name))(
    "%s may do what the matrix says, no more",
    (name) => {
      const statements = roles
        .find((found) => found.name === name)
        ?.role.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
      const expected = matrix.get(name) ?? [];
      expect(statements).toHaveLength(expected.length);
      for (const [position, { resource, actions }] of expected.entries()) {
        const statement = statements?.[position];
        expect(statement?.Action).toEqual(actions);
        expect(arnText(statement?.Resource)).toMatch(SHAPES[resource]);
        expect(statement?.Condition).toEqual(
          resource === "codeartifact-bearers"
            ? { StringEquals: { "sts:AWSServiceName": "codeartifact.amazonaws.com" } }
            : undefined,
        );
      }
    },
  );

  test("no policy outside of the roles gives a function a right", () => {
    for (const stack of [stacks.api, stacks.workers]) {
      for (const type of ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"]) {
        expect(resourcesOf(stack, type).size, type).toBe(0);
      }
    }
  });
});

describe("the matrix", () => {
  const matrix = accessMatrix(EVERY_OPTION);
  const actionsOf = (name: string): readonly string[] =>
    (matrix.get(name) ?? []).flatMap(({ actions }) => actions);

  test("lets nobody who answers requests delete an object or a version of it", () => {
    for (const { name } of PROTOCOL_FUNCTIONS) {
      expect(actionsOf(name).filter((action) => action.startsWith("s3:Delete"))).toEqual([]);
    }
  });

  test("gives each key to those who use it", () => {
    const usersOf = (resource: ResourceName) =>
      FUNCTIONS.filter(({ name }) => matrix.get(name)?.some((right) => right.resource === resource))
        .map(({ name }) => name)
        .toSorted();
    expect(usersOf("signing-key")).toEqual(["api", "npm"]);
    expect(usersOf("mac-key")).toEqual([
      "api",
      "fetches",
      "generic",
      "maintenance",
      "maven",
      "npm",
      "oci",
      "pypi",
      "webhooks",
    ]);
  });

  test("lets only those who ask upstreams make tokens for them, and nobody without an option", () => {
    const makers = (action: string, options: AccessOptions) =>
      FUNCTIONS.filter((spec) =>
        rightsOf(spec, options).some(({ actions }) => actions.includes(action)),
      ).map(({ name }) => name);
    for (const action of UPSTREAM_ACTIONS) expect(makers(action, NO_OPTIONS)).toEqual([]);
    const made = [...UPSTREAM_ACTIONS].map((action) => makers(action, EVERY_OPTION).toSorted());
    const packages = ["api", "fetches", "generic", "maven", "npm", "pypi"];
    expect(made).toEqual([
      ["api", "fetches", "generic", "maven", "npm", "oci", "pypi"],
      ["api", "fetches", "oci"],
      packages,
      packages,
    ]);
  });

  test("has no action with a wildcard, and none that reaches beyond data but for tokens of upstreams", () => {
    for (const { name } of FUNCTIONS) {
      for (const action of actionsOf(name)) {
        expect(action, name).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
        if (UPSTREAM_ACTIONS.has(action)) continue;
        expect(action, name).not.toMatch(/^(?:iam|sts|lambda|cloudformation|ssm|secretsmanager):/);
        expect(action, name).not.toMatch(/Policy|DeleteTable|DeleteBucket|ObjectVersion|Scan/);
      }
    }
  });

  test("stands in docs/security.md as it is", () => {
    // The formatter aligns the columns of tables.
    const flat = (text: string): string => text.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-");
    const wanted = flat(renderMatrix()).replace("|-|-|-|", "| - | - | - |");
    expect(flat(readFileSync("docs/security.md", "utf8"))).toContain(wanted);
  });
});
