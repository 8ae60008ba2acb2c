import { describe, expect, test } from "vitest";
import { setupClients } from "../../../cli/client/setup/setup-clients.ts";

const stepsOf = (ecosystem: string, name: string, isSource: boolean) => {
  const client = setupClients(ecosystem).find((one) => one.name === name);
  if (client === undefined) throw new Error(`there is no client ${name}`);
  const about = { url: "https://packages.example", registry: "team", isPublic: false };
  return client.steps({ ...about, isSource, takesPackages: isSource });
};

describe("what makes a client use a composite or proxy", () => {
  test("stands for Maven in the place of all other repositories, Central among them", () => {
    const text = JSON.stringify(stepsOf("maven", "maven", false));
    expect(text).toContain("<mirrorOf>*</mirrorOf>");
    expect(JSON.stringify(stepsOf("maven", "maven", true))).not.toContain("<mirrorOf>");
  });

  test.each([
    ["npm", "npm"],
    ["npm", "pnpm"],
    ["npm", "yarn"],
    ["npm", "yarn-berry"],
    ["npm", "bun"],
    ["maven", "maven"],
    ["maven", "gradle"],
    ["maven", "sbt"],
  ])("for %s, %s says nothing of publishing beside the steps that do", (ecosystem, name) => {
    const reading = stepsOf(ecosystem, name, false).filter(({ publishes }) => publishes !== true);
    expect(reading.length).toBeGreaterThan(0);
    const commands = reading.filter(({ file }) => file === undefined || file.endsWith(".kts"));
    expect(JSON.stringify(commands)).not.toMatch(/publish|deploy/);
  });
});
