import { Bucket } from "aws-cdk-lib/aws-s3";
import { AwsSolutionsChecks } from "cdk-nag";
import { expect, test } from "vitest";
import { createTestStacks, EVERYTHING } from "./support.ts";

const findingsOf = ({ app }: ReturnType<typeof createTestStacks>): readonly string[] => {
  app.synth();
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
  );
};

test.each([
  ["without options", {}],
  ["with every option", EVERYTHING],
  ["with edge and ingest", { ...EVERYTHING, edge: { waf: true }, ingest: {} }],
])("cdk-nag finds nothing %s that is not explained beside the resource", (_, input) => {
  expect(findingsOf(createTestStacks(input))).toEqual([]);
});

test("cdk-nag finds what is neither right nor explained", () => {
  const stacks = createTestStacks();
  const careless = new Bucket(stacks.storage, "Careless");
  expect(careless.node.id).toBe("Careless");
  expect(findingsOf(stacks)).toEqual([
    "AwsSolutions-S1 entrepot-storage/Careless/Resource",
    "AwsSolutions-S10 entrepot-storage/Careless/Resource",
  ]);
});
