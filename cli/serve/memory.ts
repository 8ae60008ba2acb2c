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

/** Resident; a server that has just started has some 100 MB, half of them Node's own program. */
const ROOMY_BYTES = 125_000_000;
const CHECK_MS = 250;
const GROWTH_BYTES = 8 * 1024 * 1024;
/** Received between two checks: from here on buffers of bodies are what memory is used for, and soon free again. */
const UPLOADING_BYTES = 8 * 1024 * 1024;

/**
 * Starts this command anew, in the same process, with settings of the allocator that cannot be changed later.
 * Settings in the environment win. Without effect where the system has no `execve` or no glibc.
 */
export function restartWithFrugalMalloc(): void {
  const { execPath, execArgv, argv, env } = process;
  if (process.platform !== "linux" || process.execve === undefined) return;
  if (Object.keys(MALLOC).every((name) => env[name] !== undefined)) return;
  process.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...MALLOC, ...env });
}

/** The chunks of so much of a body lie in a few megabytes: a scavenge finds most of them unused in 2 ms. */
const SCAVENGE_BYTES = 8 * 1024 * 1024;

let scavenge = (): void => undefined;
let unscavengedBytes = 0;
let receivedSinceCheck = 0;

/**
 * Counts what came over the network. Its buffers are outside of V8's heap, where small objects stand for them: V8
 * sees too little to scavenge for, until it takes all of them for a reason to mark the whole heap, ten times as much
 * work.
 */
export function countReceived(bytes: number): void {
  receivedSinceCheck += bytes;
  unscavengedBytes += bytes;
  if (unscavengedBytes < SCAVENGE_BYTES) return;
  unscavengedBytes = 0;
  scavenge();
}

/**
 * Keeps a busy server small: V8 lets its heap grow with the load, and buffers wait in it for their collection.
 * The space for new objects is not enlarged, and whenever the process has grown by {@link GROWTH_BYTES} the collector
 * is told for a moment to care for memory more than for speed. Telling it so for good costs a third of the requests.
 */
export function keepMemorySmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--expose-gc");
  // A context made after the flag was set is the only one to have it.
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") {
    scavenge = () => void Reflect.apply(collect, undefined, [{ type: "minor" }]);
  }
  let isFrugal = false;
  let allowedBytes = ROOMY_BYTES;
  setInterval(() => {
    const isUploading = receivedSinceCheck > UPLOADING_BYTES;
    receivedSinceCheck = 0;
    const rssBytes = process.memoryUsage.rss();
    const shouldBeFrugal = !isFrugal && rssBytes > allowedBytes && !isUploading;
    const grown = Math.max(ROOMY_BYTES, rssBytes + GROWTH_BYTES);
    allowedBytes = isFrugal ? grown : Math.min(allowedBytes, grown);
    if (shouldBeFrugal === isFrugal) return;
    isFrugal = shouldBeFrugal;
    setFlagsFromString(isFrugal ? "--optimize-for-size" : "--no-optimize-for-size");
  }, CHECK_MS).unref();
}
