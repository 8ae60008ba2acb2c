import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { freePort, type Launched, launch } from "./launch.ts";

const FOLDER =
  process.env["ENTREPOT_PYTHON_PEERS"] ??
  join(import.meta.dirname, "../../.tmp/programs/python-peers");
const PASSWORD = "benchmark-password";
const answerSchema = z.object({ result: z.looseObject({ password: z.string().optional() }) });

/** A running devpi. */
interface LaunchedDevpi extends Launched {
  readonly port: number;
  /** The login of its root user, which every request may carry. */
  readonly headers: Readonly<Record<string, string>>;
  /** Makes an index as root. @throws {Error} when devpi does not want it. */
  readonly put: (path: string, body: object) => Promise<void>;
}

/** A program where `.ci/pypi-peers` puts it; `undefined` when it is not installed. */
export function pythonPeer(path: string): string | undefined {
  const program = join(FOLDER, path);
  return existsSync(program) ? program : undefined;
}

/** devpi with its data in a folder and no index; `undefined` when it is not installed. */
export async function launchDevpi(folder: string): Promise<LaunchedDevpi | undefined> {
  const program = pythonPeer("devpi/bin/devpi-server");
  if (program === undefined) return undefined;
  const at = ["--serverdir", folder];
  const init = program.replace(/server$/, "init");
  await promisify(execFile)(init, [...at, "--no-root-pypi", "--root-passwd", PASSWORD]);
  const port = await freePort();
  const command = [program, ...at, "--host", "127.0.0.1", "--port", `${port}`] as const;
  const launched = await launch(command, port);
  const login = await ask(port, "POST", "/+login", { user: "root", password: PASSWORD });
  const credentials = Buffer.from(`root:${login.password ?? ""}`).toString("base64");
  const headers = { "X-Devpi-Auth": credentials };
  const put = async (path: string, body: object): Promise<void> =>
    void (await ask(port, "PUT", path, body, headers));
  return { ...launched, port, headers, put };
}

async function ask(
  port: number,
  method: string,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { "content-type": "application/json", accept: "application/json", ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`devpi: ${path} answered ${answer.status}`);
  return answerSchema.parse(await answer.json()).result;
}
