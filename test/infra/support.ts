import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { afterAll } from "vitest";
import * as z from "zod";
import type { ConfigInput } from "../../infra/config/schema.ts";
import { parseConfig } from "../../infra/config/load.ts";
import { FUNCTIONS } from "../../infra/functions.ts";
import { createStacks, type Stacks } from "../../infra/stacks/stacks.ts";

/** A resource of a template, as far as tests read it without knowing its type. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string | undefined;
}

const resourcesSchema = z.record(
  z.string(),
  z.looseObject({
    Type: z.string(),
    Properties: z.record(z.string(), z.unknown()).default({}),
    DeletionPolicy: z.string().optional(),
  }),
);

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export const TEST_ENV = { account: "111122223333", region: "eu-central-1" } as const;

/** Stacks of the options, in an app of their own; functions' code is a stub. */
export function createTestStacks(input: ConfigInput = {}): Stacks & { readonly app: App } {
  const folder = mkdtempSync(join(tmpdir(), "entrepot-infra-"));
  folders.push(folder);
  const bundles = join(folder, "bundles");
  for (const { name } of FUNCTIONS) {
    mkdirSync(join(bundles, name), { recursive: true });
    writeFileSync(join(bundles, name, "index.mjs"), "export const handler = async () => {};\n");
  }
  const flags = z.object({ context: z.record(z.string(), z.unknown()) });
  const { context } = flags.parse(JSON.parse(readFileSync("cdk.json", "utf8")));
  const app = new App({
    outdir: join(folder, "cdk.out"),
    analyticsReporting: false,
    postCliContext: { ...context, bundles },
  });
  const config = parseConfig({ ...TEST_ENV, ...input }, "test");
  return { app, ...createStacks(app, config) };
}

/** The template of a stack, with the hashes of assets left out: they change with every line of code. */
export function normalisedTemplate(stack: Stack): unknown {
  const text = JSON.stringify(Template.fromStack(stack).toJSON());
  return JSON.parse(text.replaceAll(/\b[0-9a-f]{64}\b/g, "<hash>"));
}

/** The resources of a type, by logical id. */
export function resourcesOf(stack: Stack, type: string): ReadonlyMap<string, Resource> {
  const { Resources } = z
    .object({ Resources: resourcesSchema })
    .parse(Template.fromStack(stack).toJSON());
  return new Map(Object.entries(Resources).filter(([, resource]) => resource.Type === type));
}

/** Options with everything that can be turned on. */
export const EVERYTHING: ConfigInput = {
  name: "all",
  encryption: "customer",
  domain: {
    name: "packages.example.com",
    certificateArn: "arn:aws:acm:eu-central-1:111122223333:certificate/abc-def",
    hostedZone: { id: "Z123", name: "example.com" },
  },
  storage: {
    class: "intelligent-tiering",
    restoreWindowDays: 90,
    objectLock: { mode: "governance", days: 30 },
    replicaRegion: "eu-west-1",
    deletionProtection: false,
  },
  throttle: { protocols: { npm: { requestsPerSecond: 50, burst: 100 } } },
  upstreams: {
    assumeRoles: ["arn:aws:iam::111122223333:role/readers/ecr"],
    ecr: true,
    codeArtifactDomains: ["arn:aws:codeartifact:eu-central-1:111122223333:domain/shared"],
  },
  requestsPerMinute: 600,
  reservedConcurrency: 50,
  logRetentionDays: 365,
  grants: [{ roleArn: "arn:aws:iam::111122223333:role/ci", registries: ["npm"], allow: "publish" }],
};

/** A stack of the app by its name. @throws when there is none. */
export function stackOf(app: App, name: string): Stack {
  const found = app.node.tryFindChild(name);
  if (!Stack.isStack(found)) throw new Error(`The app has no stack ${name}.`);
  return found;
}
