import { setTimeout as wait } from "node:timers/promises";
import type { BenchServer } from "../servers/server.ts";
import type { Measurement } from "./measurement.ts";
import { residentBytes } from "./process-usage.ts";

export const MEMORY_BEFORE = "memory after publishing the fixtures";
export const MEMORY_AFTER_LOAD = "memory after all loads";
export const MEMORY_IDLE = "memory after idling";

/** Resident memory of a server at this moment. */
export function measureMemory(label: string, server: BenchServer): Measurement {
  return { case: label, metric: "MB", value: residentBytes(server.pid) / 1e6 };
}

/** Leaves all servers alone, for what they give back when nobody asks for anything. */
export async function idle(quick: boolean): Promise<void> {
  await wait(quick ? 2_000 : 30_000);
}
