import { expect, test } from "vitest";
import { SCHEDULED_TASKS } from "../../functions/workers/maintenance/tasks.ts";
import { describeDeployed } from "./describe-deployed.ts";

describeDeployed("the maintenance function of a deployed registry", (deployment) => {
  test.each(SCHEDULED_TASKS.map(({ name }) => name))("runs the task %s", async (task) => {
    expect(await deployment.runTask(task)).toEqual({ task });
  });

  test("gives the first admin token out once", async () => {
    const again = await deployment.runTask("bootstrap");
    expect(again).toMatchObject({ task: "bootstrap", token: null });
    expect((await deployment.request("/api/v1/registries")).status).toBe(200);
  });
});
