import { Argument, type Command } from "commander";
import { PACKAGE_STATUSES } from "../../shared/domain/package.ts";
import { apiPath } from "../client/api-path.ts";
import { packageSchema } from "../client/schemas.ts";
import { openSession, withCommonOptions, withExamples } from "./session.ts";

/** `package status <registry> <package> <status> [reason]`. */
export function addPackageStatus(group: Command): void {
  const status = group
    .command("status")
    .summary("archive, deprecate or quarantine a Python project")
    .description(
      "Sets the status that Python's installers are told of a project (PEP 792). An archived project takes no uploads; one in quarantine neither takes nor offers files.",
    )
    .argument("<registry>")
    .argument("<package>")
    .addArgument(new Argument("<status>").choices(PACKAGE_STATUSES))
    .argument("[reason]", "shown to those who install it");
  withExamples(withCommonOptions(status), [
    'package status my-py demo archived "Use demo2"',
    "package status my-py demo active",
  ]).action(
    async (
      registry: string,
      name: string,
      value: string,
      reason: string | undefined,
      _options: unknown,
      command: Command,
    ) => {
      const session = openSession(command);
      const api = await session.connect();
      const answer = await api.send({
        method: "PATCH",
        path: apiPath`/registries/${registry}/packages/${name}`,
        body: { status: value, statusReason: reason ?? "" },
        schema: packageSchema,
      });
      session.output.result(answer, () => `${name} of ${registry} is ${answer.status}.`);
    },
  );
}
