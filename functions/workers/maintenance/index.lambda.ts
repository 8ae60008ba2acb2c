import { createWorkerFunction } from "../../lambda/worker-function.ts";
import { runTask } from "./run-task.ts";

/** Runs the task that an event names: `{"task": "<name>"}`, see `tasks.ts`. */
export const handler = createWorkerFunction("maintenance", (parts) => async (event) => {
  const startedAt = performance.now();
  try {
    const result = await runTask(event, parts);
    parts.count("failedTasks", 0);
    if (result.task === "uploads") {
      const unfinished = await parts.services.stores.blobs.listMultipart();
      parts.count("unfinishedUploads", unfinished.length);
    }
    return result;
  } catch (error) {
    parts.services.stores.log.error("task.failed", error);
    parts.count("failedTasks", 1);
    throw error;
  } finally {
    parts.count("taskDuration", performance.now() - startedAt);
  }
});
