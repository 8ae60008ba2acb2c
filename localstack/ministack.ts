import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { cleanEnvironment, type Endpoint, trust } from "./endpoint.ts";
import { runProgram, startDetached } from "./processes.ts";
import { LOCAL_FOLDER } from "./state.ts";

const REQUIREMENTS = resolve(import.meta.dirname, "requirements.txt");
const LAUNCHER = resolve(import.meta.dirname, "start_ministack.py");
const PYTHON_FOLDER = resolve(import.meta.dirname, "..", ".tmp", "venv");

/** Installs the emulator from PyPI into `.tmp/venv`. Needs `python3` with `venv`. */
export async function installMinistack(): Promise<void> {
  await runProgram(["python3", "-m", "venv", PYTHON_FOLDER]);
  const pip = join(PYTHON_FOLDER, "bin", "pip");
  await runProgram([
    pip,
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--requirement",
    REQUIREMENTS,
  ]);
}

/** How long {@link startMinistack}'s emulator may take until it answers. */
export const START_LIMIT_MS = 60_000;

/**
 * Starts the emulator on a free port of 127.0.0.1, over empty folders below `.tmp/local`. Its functions run as child
 * processes on the project's own Node. It enforces IAM: every function can do what its role allows and nothing else;
 * which needs TLS, because the policies of buckets refuse everything without.
 *
 * @returns where it will answer, and its process id for `stopGroup`.
 */
export async function startMinistack(): Promise<{ endpoint: Endpoint; pid: number }> {
  const port = await freePort();
  const folder = join(LOCAL_FOLDER, "ministack");
  await rm(folder, { recursive: true, force: true });
  const temporary = join(folder, "tmp");
  await mkdir(temporary, { recursive: true });
  // It writes its runner of functions there, a CommonJS file, and our package.json says that .js is not that.
  await writeFile(join(temporary, "package.json"), `{"type":"commonjs"}\n`);
  const endpoint = {
    // Another name than the API's, as on AWS: clients decide by it whether credentials may follow a redirect.
    url: `https://localhost:${port}`,
    // Made at its start, for this run.
    certificate: join(temporary, "ministack-tls", "server.crt"),
  };
  const pid = await startDetached(
    [join(PYTHON_FOLDER, "bin", "python"), LAUNCHER],
    {
      ...cleanEnvironment(),
      GATEWAY_PORT: String(port),
      BIND_HOST: "127.0.0.1",
      AUTH: "true",
      USE_SSL: "1",
      LAMBDA_EXECUTOR: "local",
      // Handed on to the functions, which would use 127.0.0.1 otherwise.
      AWS_ENDPOINT_URL: endpoint.url,
      ...trust(endpoint),
      // Listeners for all the world that nothing here needs.
      IOT_MTLS_ENABLED: "0",
      SFTP_ENABLED: "0",
      TMPDIR: temporary,
      S3_DATA_DIR: join(folder, "s3"),
      STATE_DIR: join(folder, "state"),
    },
    join(folder, "ministack.log"),
  );
  return { endpoint, pid };
}

/** A port of 127.0.0.1 on which nothing listens now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
