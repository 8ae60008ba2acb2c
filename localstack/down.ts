// `npm run local:down`: ends what `local:up` and `local:deploy` started, and removes what it stored. An endpoint that
// was given by AWS_ENDPOINT_URL keeps running, and keeps its stacks.
import { stopGroup } from "./processes.ts";
import { readState, removeState } from "./state.ts";

const state = await readState();
for (const [name, pid] of Object.entries(state?.processes ?? {})) {
  await stopGroup(pid);
  console.log(`${name} is stopped`);
}
await removeState();
