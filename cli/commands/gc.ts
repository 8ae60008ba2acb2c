import { Argument, type Command } from "commander";
import * as z from "zod";
import { objectSchema } from "../client/schemas.ts";
import {
  openSession,
  parseOptions,
  wholeNumber,
  withCommonOptions,
  withExamples,
} from "./session.ts";

/** In the order in which each leaves something for the next. */
const TASKS = ["sweep-uploads", "reclaim", "collect-garbage"] as const;
const TIMEOUT_MS = 15 * 60_000;

const flagsSchema = z.object({ graceSeconds: wholeNumber(0, 366 * 86_400) });

/** `gc`: the maintenance that the server also does by itself, now. */
export function addGcCommand(program: Command): void {
  const gc = program
    .command("gc")
    .summary("clean up storage now")
    .description(
      "Does now what the server does by itself from time to time: sweep-uploads ends unfinished uploads, reclaim removes what was deleted and can no longer be restored, collect-garbage removes bytes that nothing points at. Needs an administrator's token.",
    )
    .addArgument(new Argument("[task]", "one of them (default: all)").choices(TASKS))
    .option(
      "--grace-seconds <seconds>",
      "how long bytes may be there without a reference: longer than any publish takes",
      "86400",
    );
  withExamples(withCommonOptions(gc), ["gc", "gc collect-garbage --json"]).action(
    async (task: string | undefined, _options: unknown, command: Command) => {
      const session = openSession(command);
      const { graceSeconds } = parseOptions(command, flagsSchema);
      const api = await session.connect();
      const done: Record<string, object> = {};
      for (const name of task === undefined ? TASKS : [task]) {
        done[name] = await api.send({
          method: "POST",
          path: `/maintenance/${name}`,
          ...(name === "collect-garbage" ? { body: { graceSeconds } } : {}),
          schema: objectSchema,
          timeoutMs: TIMEOUT_MS,
        });
      }
      session.output.result(done, () =>
        Object.entries(done)
          .map(([name, outcome]) => `${name}: ${describe(outcome)}`)
          .join("\n"),
      );
    },
  );
}

function describe(outcome: object): string {
  const parts = Object.entries(outcome).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return parts.length === 0 ? "done" : parts.join(", ");
}
