import { expect, test } from "vitest";
import { createTestStacks, EVERYTHING, normalisedTemplate, stackOf } from "./support.ts";

const plain = createTestStacks();
const everything = createTestStacks(EVERYTHING);

test.each(["entrepot-storage", "entrepot-api", "entrepot-workers"])(
  "%s without options is as it was",
  (name) => {
    expect(normalisedTemplate(stackOf(plain.app, name))).toMatchSnapshot();
  },
);

test.each(["all-storage", "all-replica", "all-api", "all-workers"])(
  "%s with every option is as it was",
  (name) => {
    expect(normalisedTemplate(stackOf(everything.app, name))).toMatchSnapshot();
  },
);
