import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { addressAnswers } from "./answers.ts";
import type { BenchServer } from "./server.ts";
import { freePort, launch } from "./launch.ts";

const PROGRAM = join(import.meta.dirname, "bare-node-program.ts");

/** The limit of what Node can do; see `bare-node-program.ts`. */
export async function startBareNode(folder: string, answers: string): Promise<BenchServer> {
  const port = await freePort();
  const own = join(folder, "bare-node");
  await mkdir(own, { recursive: true });
  await addressAnswers(answers, own, `http://127.0.0.1:${port}/`);
  const { pid, stop } = await launch([process.execPath, PROGRAM, String(port), answers, own], port);
  return { name: "bare-node", port, base: "", token: "unchecked", pid, stop };
}
