import { runCommand } from "./options.ts";
import { run } from "./programs.ts";

/** `npm run diff`: what a deployment would change. */
await runCommand(async ({ context }) => {
  await run("node", ["infra/bundles/bundle.ts"]);
  await run("cdk", ["diff", ...context]);
});
