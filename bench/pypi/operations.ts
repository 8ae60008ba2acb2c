import type { CountedRegistry, Ask } from "../counted-registry.ts";
import { measureKinds, type OperationCosts, type RequestKind } from "../operation-costs.ts";
import { makeWheel, upload } from "./fixtures.ts";

const ROOT = "/pypi/py";
const JSON_TYPE = "application/vnd.pypi.simple.v1+json";

/** The requests of Python's clients, with a project of so many files for those that must not grow with it. */
export async function measureOperations(
  turns: number,
  files: number,
): Promise<readonly OperationCosts[]> {
  return measureKinds(turns, async (registry) => {
    await registry.create("py", "pypi");
    await publish(registry, "demo", 1);
    await publish(registry, "large", files);
    return kinds(files);
  });
}

async function publish(registry: CountedRegistry, name: string, files: number): Promise<void> {
  for (let at = 0; at < files; at++) await registry.ask(await uploadOf(name, `1.${at}`));
}

function uploadOf(name: string, version: string): Promise<Ask> {
  return upload(`${ROOT}/`, {}, name, version, makeWheel(name, version));
}

function kinds(files: number): readonly RequestKind[] {
  const page = (path: string, headers: Readonly<Record<string, string>> = {}) => ({
    path: ROOT + path,
    headers: { accept: JSON_TYPE, "accept-encoding": "gzip", ...headers },
  });
  const file = "/files/demo/1.0/demo-1.0-py3-none-any.whl";
  return [
    { name: "simple page of 1", ask: () => page("/simple/demo/") },
    { name: `simple page of ${files}`, ask: () => page("/simple/large/") },
    {
      name: "simple page, not modified",
      ask: () => page("/simple/demo/", { "if-none-match": "*" }),
    },
    { name: "simple page, not found", ask: () => page("/simple/none/") },
    { name: "index of all projects", ask: () => page("/simple/") },
    { name: "file, inline", ask: () => page(file) },
    { name: "core metadata", ask: () => page(`${file}.metadata`) },
    { name: "JSON API, project", ask: () => page("/pypi/demo/json") },
    { name: "JSON API, release", ask: () => page("/pypi/demo/1.0/json") },
    { name: "upload, new project", ask: (turn) => uploadOf(`new-${turn}`, "1.0") },
    { name: "upload, new release", ask: (turn) => uploadOf("demo", `2.${turn}`) },
    {
      name: "upload, another file of a release",
      ask: (turn) =>
        upload(`${ROOT}/`, {}, "demo", "1.0", makeWheel("demo", "1.0", 500, `cp3${turn}-none-any`)),
    },
    { name: `upload into a page of ${files}`, ask: (turn) => uploadOf("large", `2.${turn}`) },
  ];
}
