import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import * as z from "zod";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;

async function startOnce(folder: string): Promise<{ printed: string; whoami: number }> {
  const { ENTREPOT_ADMIN_TOKEN: _, ...env } = process.env;
  const child = spawn(process.execPath, [MAIN, "serve", "--port", "0", "--data", folder], { env });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  await expect.poll(() => printed, { timeout: 15_000 }).toContain("Next");
  const url = /listening on (\S+)/.exec(printed)?.[1] ?? "";
  const token = /Admin token +(\S+)/.exec(printed)?.[1] ?? "";
  const response = await fetch(`${url}/api/v1/whoami`, {
    headers: { authorization: `Bearer ${token}` },
  });
  child.kill("SIGTERM");
  await new Promise((resolve) => child.once("exit", resolve));
  return { printed, whoami: response.status };
}

it("the first start on an empty folder prints an admin token once, and stores only its hash", async () => {
  const folder = mkdtempSync(join(tmpdir(), "entrepot-first-"));
  const first = await startOnce(folder);
  const token = /Admin token +(\S+)/.exec(first.printed)?.[1] ?? "";
  expect(token).toMatch(/^ep_at_/);
  expect(first.whoami).toBe(200);

  const second = await startOnce(folder);
  expect(second.printed).not.toContain("Admin token");
  expect(second.whoami).toBe(401);

  const secret = token.slice("ep_at_000000000000_".length, -6);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    expect(readFileSync(join(file.parentPath, file.name)).includes(secret)).toBe(false);
  }
  expect(statSync(join(folder, "keys", "secret")).mode & 0o777).toBe(0o600);
  rmSync(folder, { recursive: true });
});

it("a first start that fails, as on a port that is taken, does not use up the admin token", async () => {
  const folder = mkdtempSync(join(tmpdir(), "entrepot-first-"));
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = z.object({ port: z.number() }).parse(other.address());
  const { ENTREPOT_ADMIN_TOKEN: _, ...env } = process.env;
  const child = spawn(process.execPath, [MAIN, "serve", "--port", String(port), "--data", folder], {
    env,
  });
  expect(await once(child, "exit")).toEqual([2, null]);
  other.close();
  const { printed, whoami } = await startOnce(folder);
  rmSync(folder, { recursive: true });
  expect(printed).toContain("Admin token");
  expect(whoami).toBe(200);
});

it.each([
  // RFC 5737: an address that no machine has.
  ["an address that is not this machine's", ["--host", "192.0.2.1"], "--host"],
  ["a data folder that is a file", ["--data", "file"], "--data"],
])("a start with %s says which setting to change", (_what, flags, words) => {
  const folder = mkdtempSync(join(tmpdir(), "entrepot-first-"));
  writeFileSync(join(folder, "file"), "");
  const args = [MAIN, "serve", "--port", "0", ...flags];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect(status).toBe(2);
  expect(stderr).toMatch(/^Error: /);
  expect(stderr).toContain(words);
});
