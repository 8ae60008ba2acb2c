import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { startServer, type TestServer } from "../../support/server.ts";

let server: TestServer | undefined;
afterEach(() => server?.stop());

/** The parts of a file of /proc/PID that ends each of them with NUL. */
const partsOf = (file: "cmdline" | "environ"): readonly string[] =>
  readFileSync(`/proc/${server?.process.pid}/${file}`, "utf8").split("\0");

it.runIf(process.platform === "linux")(
  "a server starts itself anew with settings for memory and threads, where nobody has set others",
  async () => {
    server = await startServer({ environment: { MALLOC_ARENA_MAX: "2" } });
    const flags = partsOf("cmdline");
    expect(flags.filter((part) => part.startsWith("--max-semi-space-size="))).toHaveLength(1);
    const settings = partsOf("environ");
    expect(settings).toContain("MALLOC_ARENA_MAX=2");
    expect(settings).toContain("UV_THREADPOOL_SIZE=8");
    expect(settings.map((part) => part.split("=")[0])).toContain("MALLOC_MMAP_THRESHOLD_");
  },
);
