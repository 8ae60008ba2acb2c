import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import {
  forgetLogin,
  isReadableByOthers,
  readConfig,
  saveLogin,
} from "../../../cli/client/config-file.ts";
import { findConnection, parseServerUrl } from "../../../cli/client/connection.ts";
import { configPath, uploadsFolder } from "../../../cli/client/folders.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const A = "https://a.example.com";
const B = "https://b.example.com";

let config = "";
beforeEach(async () => {
  const folder = await temporaryFolder("cli-config");
  onTestFinished(() => folder[Symbol.asyncDispose]());
  config = join(folder.path, "deep", "config.json");
});

const connect = (environment: Readonly<Record<string, string>>, url?: string) =>
  findConnection({ ENTREPOT_CONFIG: config, ...environment }, url);

describe("the server of a command", () => {
  test("is the one last logged in to", async () => {
    await saveLogin(config, A, "token-a");
    await saveLogin(config, B, "token-b");
    expect(await connect({})).toEqual({ url: B, token: "token-b" });
  });

  test("is named by ENTREPOT_URL before that, and by --url before all", async () => {
    await saveLogin(config, A, "token-a");
    await saveLogin(config, B, "token-b");
    expect(await connect({ ENTREPOT_URL: A })).toEqual({ url: A, token: "token-a" });
    expect(await connect({ ENTREPOT_URL: A }, B)).toEqual({ url: B, token: "token-b" });
  });

  test("is missing with a hint when nothing names one", async () => {
    await expect(connect({})).rejects.toMatchObject({
      exitCode: 2,
      message: "No server is named.",
    });
  });

  test("is spoken to anonymously when there is no token for it", async () => {
    expect(await connect({}, A)).toEqual({ url: A });
  });
});

describe("the token of a command", () => {
  test("is that of the environment before the saved one", async () => {
    await saveLogin(config, A, "token-a");
    expect(await connect({ ENTREPOT_TOKEN: "from-env" })).toEqual({ url: A, token: "from-env" });
  });

  test("of the environment never goes to another server than that of the environment", async () => {
    const environment = { ENTREPOT_URL: A, ENTREPOT_TOKEN: "for-a" };
    expect(await connect(environment)).toEqual({ url: A, token: "for-a" });
    expect(await connect(environment, B)).toEqual({ url: B });
    expect(await connect(environment, `${A}/`)).toEqual({ url: A, token: "for-a" });
  });

  test("is refused when it could not stand in a header", async () => {
    await expect(connect({ ENTREPOT_URL: A, ENTREPOT_TOKEN: "two\nlines" })).rejects.toMatchObject({
      exitCode: 2,
    });
  });
});

describe("the file of logins", () => {
  test("can be read by its owner only", async () => {
    await saveLogin(config, A, "token-a");
    expect((await stat(config)).mode & 0o777).toBe(0o600);
    expect(await isReadableByOthers(config)).toBe(false);
    await chmod(config, 0o644);
    expect(await isReadableByOthers(config)).toBe(true);
    await saveLogin(config, B, "token-b");
    expect((await stat(config)).mode & 0o777).toBe(0o600);
  });

  test("forgets one server and goes on with another", async () => {
    await saveLogin(config, A, "token-a");
    await saveLogin(config, B, "token-b");
    expect(await forgetLogin(config, B)).toBe(true);
    expect(await forgetLogin(config, B)).toBe(false);
    expect(await readConfig(config)).toEqual({
      version: 1,
      current: A,
      servers: { [A]: { token: "token-a" } },
    });
    expect(await readFile(config, "utf8")).not.toContain("token-b");
  });

  test("is reported, not overwritten, when it is broken", async () => {
    await saveLogin(config, A, "token-a");
    await writeFile(config, "{ broken");
    await expect(saveLogin(config, B, "token-b")).rejects.toMatchObject({ exitCode: 1 });
    expect(await readFile(config, "utf8")).toBe("{ broken");
  });
});

describe("the URL of a server", () => {
  test.each([
    ["https://a.example.com/", A],
    ["HTTPS://A.example.com:443", A],
    ["a.example.com", A],
    ["localhost:5050", "http://localhost:5050"],
    ["127.0.0.1:5050/", "http://127.0.0.1:5050"],
    ["https://a.example.com/prefix//", "https://a.example.com/prefix"],
  ])("%s is saved as %s", (text, url) => {
    expect(parseServerUrl(text)).toBe(url);
  });

  test.each(["ftp://a.example.com", "https://", "https://user:secret@a.example.com", "not a url"])(
    "%s is refused",
    (text) => {
      expect(() => parseServerUrl(text)).toThrow(
        expect.objectContaining({ exitCode: 2, message: expect.not.stringContaining("secret") }),
      );
    },
  );
});

test("folders follow the XDG specification, which ignores relative paths", () => {
  expect(configPath({ XDG_CONFIG_HOME: "/x", HOME: "/h" })).toBe("/x/entrepot/config.json");
  expect(configPath({ XDG_CONFIG_HOME: "x", HOME: "/h" })).toBe("/h/.config/entrepot/config.json");
  expect(uploadsFolder({ HOME: "/h" })).toBe("/h/.local/state/entrepot/uploads");
});
