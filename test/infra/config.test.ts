import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { ConfigError, loadConfig, parseConfig } from "../../infra/config/load.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("the options of a deployment", () => {
  test("need not be given: a small team gets a registry without anything that costs while idle", () => {
    const config = parseConfig({}, "test");
    expect(config).toMatchObject({
      name: "entrepot",
      encryption: "aws",
      storage: { class: "standard", restoreWindowDays: 30, deletionProtection: true },
      tracing: true,
      logRetentionDays: 30,
      grants: [],
    });
    for (const option of ["edge", "ingest", "domain", "reservedConcurrency"]) {
      expect(config).not.toHaveProperty(option);
    }
  });

  test("of entrepot.config.ts are the ones that are deployed", async () => {
    expect(await loadConfig()).toEqual(parseConfig({}, "test"));
  });

  test("are refused where they are misspelt or wrong, each by name", () => {
    const wrong = {
      nmae: "x",
      name: "Has Spaces",
      storage: { restoreWindowDays: 0, replicaRegion: "Frankfurt" },
      logRetentionDays: 31,
      throttle: { protocols: { nmp: { requestsPerSecond: 1, burst: 1 } } },
      grants: [{ roleArn: "ci", registries: [], allow: "publish" }],
    };
    expect(() => parseConfig(wrong, "entrepot.config.ts")).toThrow(ConfigError);
    const message = messageOf(() => parseConfig(wrong, "entrepot.config.ts"));
    for (const part of [
      "entrepot.config.ts is not valid:",
      "nmae",
      "  name: must be 1 to 20",
      "  storage.restoreWindowDays:",
      "  storage.replicaRegion: must be a region such as eu-central-1",
      "  logRetentionDays:",
      "  throttle.protocols.nmp: must be one of api, generic, maven, npm, oci, pypi",
      "  grants.0.roleArn: must be arn:aws:iam::<account>:role/<name>",
      "  grants.0.registries:",
    ]) {
      expect(message).toContain(part);
    }
  });

  test("of a file without them are reported with the file's name", async () => {
    await using folder = await temporaryFolder("config");
    const file = join(folder.path, "other.config.mjs");
    await writeFile(file, "export const configuration = {};\n");
    await expect(loadConfig(file)).rejects.toThrow("does not export `config`");
  });
});

function messageOf(run: () => unknown): string {
  try {
    run();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
