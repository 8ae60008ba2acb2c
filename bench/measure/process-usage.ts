import { readFileSync } from "node:fs";

/** USER_HZ: what /proc counts CPU time in, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time, user and system, that a process and its children have used so far. Linux only. */
export function cpuMs(pid: number): number {
  return family(pid).reduce((sum, member) => sum + cpuMsOf(member), 0);
}

/** Resident memory of a process and its children. Pages that they share count once for each. */
export function residentBytes(pid: number): number {
  return family(pid).reduce((sum, member) => sum + residentBytesOf(member), 0);
}

function family(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .split(" ")
    .filter((text) => text !== "")
    .map(Number);
  return [pid, ...children.flatMap(family)];
}

function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in parentheses and may hold anything; utime and stime are the
  // 14th and 15th (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

function residentBytesOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) * 1024;
}
