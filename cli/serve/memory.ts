import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * For glibc's allocator: one arena instead of one for each thread, and what is freed goes back to the system. Buffers
 * that are larger than those of sockets (64 KB) are pages of their own. Only read when a process starts (mallopt(3)).
 */
const MALLOC = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "70000",
  MALLOC_TRIM_THRESHOLD_: "131072",
};

/**
 * For libuv, on whose threads writes, fsyncs and the table's commits wait for the disk: of the four that there are by
 * default clients wait for each other, although the disk could do more at once. Only read when the first one starts.
 */
const THREADS = { UV_THREADPOOL_SIZE: "8" };

const ENVIRONMENT = { ...MALLOC, ...THREADS };

/**
 * For V8, which would give new objects two halves of 16 MB; only read when a heap is made. `--heap-growing-percent` saves
 * 10 MB more, and halves the rate of downloads: their buffers count as growth, and the whole heap is marked for them.
 */
const V8 = ["--max-semi-space-size=8"];

/**
 * Starts this command anew, in the same process, with settings of the allocator, libuv and V8 that cannot be changed later.
 * Those in the environment and V8's on the command line win. Without effect where the system has no `execve`.
 */
export function restartWithFrugalMemory(): void {
  const { execPath, execArgv, argv, env } = process;
  if (process.platform !== "linux" || process.execve === undefined) return;
  const flags = V8.filter((flag) => !execArgv.some((given) => nameOf(given) === nameOf(flag)));
  if (flags.length === 0 && Object.keys(ENVIRONMENT).every((name) => env[name] !== undefined))
    return;
  const args = [execPath, ...flags, ...execArgv, ...argv.slice(1)];
  process.execve(execPath, args, { ...ENVIRONMENT, ...env });
}

/** Node takes `_` for `-` in its flags. */
const nameOf = (flag: string): string | undefined => flag.replaceAll("_", "-").split("=")[0];

/** The chunks of so much of a body lie in a few megabytes: a scavenge finds most of them unused in 2 ms. */
const SCAVENGE_BYTES = 8 * 1024 * 1024;

let scavenge = (): void => undefined;
let unscavengedBytes = 0;

/**
 * Counts what came over the network. Its buffers are outside of V8's heap, where small objects stand for them: V8
 * sees too little to scavenge for, until it takes all of them for a reason to mark the whole heap, ten times as much
 * work.
 */
export function countReceived(bytes: number): void {
  unscavengedBytes += bytes;
  if (unscavengedBytes < SCAVENGE_BYTES) return;
  unscavengedBytes = 0;
  scavenge();
}

/** Lets {@link countReceived} scavenge. */
export function enableScavenges(): void {
  setFlagsFromString("--expose-gc");
  // A context made after the flag was set is the only one to have it.
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") return;
  scavenge = () => void Reflect.apply(collect, undefined, [{ type: "minor" }]);
}
