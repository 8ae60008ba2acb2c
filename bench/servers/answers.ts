import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import * as z from "zod";
import { ABBREVIATED } from "../load/requests.ts";
import { type BenchServer, call, registryUrl } from "./server.ts";

const schema = z.array(
  z.object({
    path: z.string(),
    kind: z.enum(["full", "abbreviated", "tarball"]),
    /** In the folder of answers. */
    file: z.string(),
    contentType: z.string(),
  }),
);

/** Answers of a registry as files, for the servers that only repeat them. A packument has a `.gz` beside it. */
export type Answers = z.infer<typeof schema>;

/** Stands in saved packuments for the registry that repeats them. */
const ORIGIN = "http://answers.invalid/";

/** Saves what a registry answers for these packages: both forms of the packument, and every tarball's bytes. */
export async function saveAnswers(
  reference: BenchServer,
  packages: readonly string[],
  tarballs: readonly string[],
  folder: string,
): Promise<void> {
  const answers: Answers = [];
  for (const name of packages) {
    for (const kind of ["full", "abbreviated"] as const) {
      const accept = kind === "full" ? "application/json" : ABBREVIATED;
      const answer = await expectOk(await call(reference, `/${name}`, { headers: { accept } }));
      const text = (await answer.text()).replaceAll(registryUrl(reference), ORIGIN);
      const contentType = answer.headers.get("content-type") ?? "application/json";
      answers.push({
        path: `/${name}`,
        kind,
        file: `packuments/${name}.${kind}.json`,
        contentType,
      });
      await save(join(folder, `packuments/${name}.${kind}.json`), Buffer.from(text));
    }
  }
  for (const path of tarballs) {
    const answer = await expectOk(await call(reference, path));
    const contentType = "application/octet-stream";
    answers.push({ path, kind: "tarball", file: `tarballs${path}`, contentType });
    await save(join(folder, `tarballs${path}`), Buffer.from(await answer.arrayBuffer()));
  }
  await save(join(folder, "answers.json"), Buffer.from(JSON.stringify(answers)));
}

/** What {@link saveAnswers} saved. */
export async function readAnswers(folder: string): Promise<Answers> {
  return schema.parse(JSON.parse(await readFile(join(folder, "answers.json"), "utf8")));
}

/** Copies the packuments of `from` to `to`, plain and gzipped, with links to the registry at `url`. */
export async function addressAnswers(from: string, to: string, url: string): Promise<void> {
  for (const { kind, file } of await readAnswers(from)) {
    if (kind === "tarball") continue;
    const text = (await readFile(join(from, file), "utf8")).replaceAll(ORIGIN, url);
    await save(join(to, file), Buffer.from(text));
    await save(join(to, `${file}.gz`), gzipSync(text));
  }
}

async function save(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

async function expectOk(answer: Response): Promise<Response> {
  if (answer.status === 200) return answer;
  throw new Error(`${answer.url} answered ${answer.status}: ${await answer.text()}`);
}
