import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  buildTarball,
  packagePath,
  publishBody,
  readPackument,
} from "../../support/npm-package.ts";
import { startServer, type TestServer } from "../../support/server.ts";

const PUBLISHES = 200;
const CRASHES = 8;

interface Attempt {
  readonly name: string;
  readonly version: string;
  readonly sha512: string;
  acknowledged: boolean;
}

const integrityOf = (bytes: Buffer): string =>
  `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

/** Publishes and notes whether it was acknowledged. @throws when it was not. */
async function publish(server: TestServer, attempt: Attempt, tarball: Buffer): Promise<void> {
  const response = await fetch(server.url + packagePath("crash", attempt.name), {
    method: "PUT",
    headers: { authorization: `Bearer ${server.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify(publishBody(attempt, tarball)),
  });
  attempt.acknowledged = response.ok;
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}

/**
 * Publishes, four at a time, several versions of each of ten packages; a moment after a random number of
 * acknowledgements the server is killed, whatever it is in the middle of.
 */
async function publishUntilKilled(
  server: TestServer,
  attempts: readonly { attempt: Attempt; tarball: Buffer }[],
): Promise<void> {
  const queue = [...attempts];
  let untilKill = 2 + Math.floor(Math.random() * (attempts.length - 8));
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await publish(server, next.attempt, next.tarball);
      if (--untilKill === 0) {
        setTimeout(() => server.process.kill("SIGKILL"), Math.random() * 4);
      }
    }
  };
  // A dying server ends the connections: whatever was not answered was not acknowledged.
  await Promise.allSettled([worker(), worker(), worker(), worker()]);
}

it("keeps every acknowledged version whole, and every other whole or absent, when it is killed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-crash-"));
  const attempts = await Promise.all(
    Array.from({ length: PUBLISHES }, async (_, n) => {
      const name = `pkg-${n % 10}`;
      const version = `1.0.${Math.floor(n / 10)}`;
      const files = { "data.txt": `${name} ${version} `.repeat(2000) };
      const tarball = await buildTarball({ name, version, files });
      const attempt: Attempt = { name, version, sha512: integrityOf(tarball), acknowledged: false };
      return { attempt, tarball };
    }),
  );
  let server = await startServer({ folder });
  await server.createRegistry({ slug: "crash", ecosystem: "npm" });
  const share = PUBLISHES / CRASHES;
  for (let crash = 0; crash < CRASHES; crash++) {
    await publishUntilKilled(server, attempts.slice(crash * share, (crash + 1) * share));
    await server.stop({ signal: "SIGKILL", keepData: true });
    server = await startServer({ folder });
  }
  const acknowledged = attempts.filter(({ attempt }) => attempt.acknowledged);
  expect(acknowledged.length).toBeGreaterThan(CRASHES);
  expect(acknowledged.length).toBeLessThan(PUBLISHES);

  const headers = { authorization: `Bearer ${server.adminToken}` };
  for (const { attempt } of attempts) {
    const { name, version } = attempt;
    const response = await fetch(server.url + packagePath("crash", name), { headers });
    const listed = response.ok ? (await readPackument(response)).versions[version] : undefined;
    if (attempt.acknowledged) expect(listed, `${name}@${version} was acknowledged`).toBeDefined();
    const single = await fetch(`${server.url}${packagePath("crash", name)}/${version}`, {
      headers,
    });
    expect(single.ok, `${name}@${version} is whole or absent`).toBe(listed !== undefined);
    if (listed === undefined) continue;
    const bytes = Buffer.from(await (await fetch(listed.dist.tarball, { headers })).arrayBuffer());
    expect(integrityOf(bytes)).toBe(attempt.sha512);
  }

  // What was lost can be published again: nothing half-done stands in its way.
  for (const { attempt, tarball } of attempts) {
    const { name, version } = attempt;
    const found = await fetch(`${server.url}${packagePath("crash", name)}/${version}`, { headers });
    if (!found.ok) await publish(server, attempt, tarball);
  }
  await server.stop({ keepData: true });
  await rm(folder, { recursive: true });
}, 240_000);
