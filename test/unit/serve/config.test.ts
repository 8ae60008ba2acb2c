import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, loadConfig } from "../../../cli/serve/config.ts";

describe("the configuration of the server", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "entrepot-config-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it("listens on this machine only, with a data folder beside the caller, unless told otherwise", () => {
    expect(loadConfig({}, {})).toMatchObject({
      host: "127.0.0.1",
      port: 5050,
      data: resolve("data"),
      downloads: "inline",
      limits: "none",
      rateLimit: 0,
      trustProxy: false,
    });
  });

  it("takes flags before the environment, the environment before the file", async () => {
    const file = join(folder, "entrepot.json");
    await writeFile(file, JSON.stringify({ port: 1, host: "file", downloads: "redirect" }));
    const environment = { ENTREPOT_PORT: "2", ENTREPOT_HOST: "environment" };
    expect(loadConfig({ config: file, port: "3" }, environment)).toMatchObject({
      port: 3,
      host: "environment",
      downloads: "redirect",
    });
  });

  it("keeps webhooks from private networks unless it is told otherwise", () => {
    const set = (value: string) => loadConfig({}, { ENTREPOT_WEBHOOKS_PRIVATE: value });
    expect(loadConfig({}, {}).webhooksPrivate).toBe(false);
    expect(set("true").webhooksPrivate).toBe(true);
    expect(set("0").webhooksPrivate).toBe(false);
    expect(() => set("perhaps")).toThrow("environment variable ENTREPOT_WEBHOOKS_PRIVATE");
  });

  it("keeps only the origin of the base URL", () => {
    expect(loadConfig({ baseUrl: "https://packages.example.com/" }, {}).baseUrl).toBe(
      "https://packages.example.com",
    );
  });

  it.each([
    [{ port: "70000" }, {}, "flag --port"],
    [{}, { ENTREPOT_PORT: "many" }, "environment variable ENTREPOT_PORT"],
    [{ baseUrl: "ftp://x" }, {}, "flag --base-url"],
    [{ baseUrl: "https://x/path" }, {}, "must have no path"],
    [{ baseUrl: "packages.example.com" }, {}, "flag --base-url: must be a URL such as"],
    [{}, { ENTREPOT_ADMIN_TOKEN: "short" }, "20 characters"],
    [{ limits: "some" }, {}, "flag --limits"],
    [{ cert: "a.pem" }, {}, "both --cert and --key"],
    [{ config: "/nowhere/entrepot.json" }, {}, "cannot be read"],
  ])("says what is wrong with %j %j", (flags, environment, words) => {
    expect(() => loadConfig(flags, environment)).toThrow(ConfigError);
    expect(() => loadConfig(flags, environment)).toThrow(words);
  });

  it("knows no setting that it does not have", async () => {
    const file = join(folder, "entrepot.json");
    await writeFile(file, JSON.stringify({ prot: 1 }));
    expect(() => loadConfig({ config: file }, {})).toThrow("prot");
  });
});
