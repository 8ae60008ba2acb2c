import { readFileSync } from "node:fs";

const EVERY_MS = 100;

/** Resident memory of a process in bytes, as long as something lasts. Linux only. */
export interface MemoryWatch extends Disposable {
  readonly startBytes: number;
  readonly peakBytes: () => number;
}

/** Watches a process until disposed. */
export function watchMemory(pid: number): MemoryWatch {
  const startBytes = residentBytes(pid);
  let peak = startBytes;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
  }, EVERY_MS);
  return { startBytes, peakBytes: () => peak, [Symbol.dispose]: () => clearInterval(timer) };
}

function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) * 1024;
}
