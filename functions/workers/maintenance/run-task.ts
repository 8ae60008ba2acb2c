import * as z from "zod";
import { SCHEDULED_TASKS, type TaskParts } from "./tasks.ts";

/** What starts a task. */
const taskEvent = z.object({ task: z.string() });

/** What a task's invocation answers; only whoever may invoke the function sees it. */
export type TaskResult =
  | {
      readonly task: "bootstrap";
      /** Text of the first admin token, once; `null` when there was one before. */
      readonly token: string | null;
      readonly message: string;
    }
  | { readonly task: string };

/** The task that makes the first admin token: not scheduled, but asked for by the deployment. */
export const BOOTSTRAP_TASK = "bootstrap";

/**
 * Runs the task that an event names.
 *
 * @throws {Error} for a task that there is not, naming those that there are; whatever the task throws.
 */
export async function runTask(given: unknown, parts: TaskParts): Promise<TaskResult> {
  const { task } = taskEvent.parse(given);
  if (task === BOOTSTRAP_TASK) return bootstrap(parts);
  const found = SCHEDULED_TASKS.find(({ name }) => name === task);
  if (found === undefined) {
    const names = [...SCHEDULED_TASKS.map(({ name }) => name), BOOTSTRAP_TASK].join(", ");
    throw new Error(`There is no task "${task.slice(0, 80)}"; there are ${names}.`);
  }
  await found.run(parts);
  return { task };
}

async function bootstrap({ services }: TaskParts): Promise<TaskResult> {
  const created = await services.tokens.bootstrap();
  return created === undefined
    ? {
        task: BOOTSTRAP_TASK,
        token: null,
        message: "A first admin token was made before; only its hash is stored.",
      }
    : {
        task: BOOTSTRAP_TASK,
        token: created.text,
        message: "Shown this once and stored only as a hash: keep it.",
      };
}
