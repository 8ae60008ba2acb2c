import type { Sample } from "../samples.ts";
import type { Measurement } from "./measurement.ts";
import { residentBytes } from "./process-usage.ts";
import { say } from "./result.ts";

interface Measured {
  readonly name: string;
  readonly pid: number;
}

/** Runs every load on every server, one after the other, round after round; notes memory after each load. */
export async function runRounds<Server extends Measured, Load extends { readonly name: string }>(
  loads: readonly Load[],
  servers: readonly Server[],
  rounds: number,
  run: (load: Load, server: Server, number: number) => Promise<readonly Measurement[]>,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const noteMemory = (label: string): void => {
    for (const { name, pid } of servers) {
      samples.push({ server: name, case: label, metric: "MB", value: residentBytes(pid) / 1e6 });
    }
  };
  noteMemory("memory after the fixtures");
  for (const load of loads) {
    for (let number = 0; number < rounds; number++) {
      for (const server of servers) {
        say(`${load.name}, round ${number + 1}: ${server.name}`);
        const measured = await run(load, server, number);
        samples.push(...measured.map((some) => ({ ...some, server: server.name })));
      }
    }
    noteMemory(`memory after ${load.name}`);
  }
  return samples;
}
