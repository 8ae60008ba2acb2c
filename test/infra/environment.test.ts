import { describe, expect, test } from "vitest";
import { readEnvironment } from "../../functions/lambda/environment.ts";
import { createTestStacks, EVERYTHING, resourcesOf } from "./support.ts";

/** A function's variables as they will be; what only CloudFormation knows is a queue's URL here, which fits everywhere. */
function variablesOf(
  stacks: ReturnType<typeof createTestStacks>,
): readonly (readonly [string, Record<string, string>])[] {
  return [stacks.api, stacks.workers].flatMap((stack) =>
    Array.from(resourcesOf(stack, "AWS::Lambda::Function").values(), ({ Properties }) => {
      const { Variables } = Object(Properties["Environment"]);
      const entries = Object.entries(Object(Variables)).map(([name, value]) => [
        name,
        typeof value === "string" ? value : "https://sqs.test/1/q",
      ]);
      const variables: Record<string, string> = Object.fromEntries(entries);
      return [variables["POWERTOOLS_SERVICE_NAME"] ?? "", variables] as const;
    }),
  );
}

describe("what the stacks put into a function's environment", () => {
  test.each([
    ["without options", {}],
    ["with every option", EVERYTHING],
  ])("is what the function reads at its cold start, %s", (_, input) => {
    for (const [name, variables] of variablesOf(createTestStacks(input))) {
      expect(() => readEnvironment(variables), name).not.toThrow();
    }
  });

  test("says which roles have grants, how long blobs are locked, and under which name the registry is", () => {
    const found = new Map(variablesOf(createTestStacks(EVERYTHING)));
    const read = (name: string) => readEnvironment(found.get(name) ?? {});
    expect(read("api").ENTREPOT_IAM_GRANTS).toEqual([
      { account: "111122223333", role: "ci", allow: "publish", registries: ["npm"] },
    ]);
    expect(read("npm")).toMatchObject({
      ENTREPOT_OBJECT_LOCK: { mode: "governance", days: 30 },
      ENTREPOT_BASE_URL: "https://packages.example.com",
      ENTREPOT_RATE_LIMIT: 600,
    });
    expect(read("npm").ENTREPOT_IAM_GRANTS).toBeUndefined();
    expect(read("stream").ENTREPOT_INDEX_QUEUE).toBeDefined();
    expect(read("npm").ENTREPOT_FETCH_QUEUE).toBeDefined();
    // What it gets from the queue it fetches itself.
    expect(read("fetches").ENTREPOT_FETCH_QUEUE).toBeUndefined();
  });
});
