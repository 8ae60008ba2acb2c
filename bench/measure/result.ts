import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../results");

/** What figures depend on besides what is measured. */
export const machine = () => ({
  node: process.version,
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  loadAverage: loadavg(),
  commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
});

/** In one line, for whoever watches. */
export function describeMachine({ node, cores, cpu, loadAverage }: ReturnType<typeof machine>) {
  const load = loadAverage.map((some) => some.toFixed(1)).join(" ");
  return `node ${node}, ${cores} x ${cpu}, load average ${load}`;
}

/** For whoever watches; standard output is for the figures. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Writes a result to a file of its own and prints its tables; empty ones are left out. */
export async function reportResult(
  prefix: string,
  result: object,
  tables: readonly string[],
): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const file = join(FOLDER, `${prefix}${new Date().toISOString().replaceAll(":", "-")}.json`);
  await writeFile(file, JSON.stringify(result, undefined, 2));
  const shown = tables.filter((table) => table !== "");
  process.stdout.write(`${shown.join("\n\n")}\n\n${file}\n`);
}
