import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { CreateBucketCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { freePort } from "./free-port.ts";

/** The program that {@link startS3Server} runs; docs/testing-stores.md says how to install it. */
export const S3_PROGRAM = "versitygw";

const STARTUP_MILLISECONDS = 20_000;

/** A running S3 server on 127.0.0.1 with one empty bucket. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly clientConfig: S3ClientConfig & {
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  stop(): Promise<void>;
}

/** Where the program is: PATH, then where `go install` puts it; `undefined` when it is nowhere. */
export function s3ProgramPath(): string | undefined {
  const goFolder = process.env["GOPATH"] ?? join(homedir(), "go");
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    process.env["GOBIN"] ?? "",
    join(goFolder, "bin"),
    "/usr/local/bin",
  ];
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, S3_PROGRAM))
    .find(isExecutable);
}

/** Starts a server over a temporary folder; {@link S3Server.stop} removes it. Throws when it does not start. */
export async function startS3Server(): Promise<S3Server> {
  const program = s3ProgramPath();
  if (program === undefined) throw new Error(`${S3_PROGRAM} is not installed`);
  const folder = await mkdtemp(join(tmpdir(), "entrepot-s3-"));
  // Deep, for the same reason as in file-blobs.test.ts: ids that are paths stay inside the temporary folder.
  const data = join(folder, "a", "b", "c", "d", "data");
  await mkdir(data, { recursive: true });
  const port = await freePort();
  const credentials = { accessKeyId: "entrepot", secretAccessKey: "entrepot-secret" };
  const child = spawn(program, ["--port", `127.0.0.1:${port}`, "--quiet", "posix", data], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ROOT_ACCESS_KEY: credentials.accessKeyId,
      ROOT_SECRET_KEY: credentials.secretAccessKey,
    },
  });
  // A test run that is interrupted must not leave a server behind.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const endpoint = `http://127.0.0.1:${port}`;
  const clientConfig = { endpoint, region: "us-east-1", forcePathStyle: true, credentials };
  const stop = async () => {
    process.removeListener("exit", kill);
    const exited = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGKILL")) await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await createBucket(clientConfig, "blobs-under-test");
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, bucket: "blobs-under-test", clientConfig, stop };
}

/** Also the proof that the server is up: it answers nothing before. */
async function createBucket(clientConfig: S3ClientConfig, bucket: string): Promise<void> {
  const client = new S3Client(clientConfig);
  const deadline = Date.now() + STARTUP_MILLISECONDS;
  for (;;) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
