import type { Command } from "commander";
import * as z from "zod";
import { usageError } from "../client/failures.ts";
import { auditEntrySchema } from "../client/schemas.ts";
import { formatTime } from "../client/text.ts";
import { pastTime } from "../client/times.ts";
import { printList } from "./listing.ts";
import { parseOptions, withCommonOptions, withExamples, withListOptions } from "./session.ts";

const flagsSchema = z.object({
  from: z.string().optional(),
  to: z.string().optional(),
  actor: z.string().optional(),
  registry: z.string().optional(),
  package: z.string().optional(),
});

/** `audit`: who did what, newest first. */
export function addAuditCommand(program: Command): void {
  const audit = program
    .command("audit")
    .summary("show who did what")
    .description("Shows the audit log, newest first.")
    .option("--from <when>", "from this time on: a date, or a span before now such as 7d")
    .option("--to <when>", "until this time")
    .option("--actor <name>", "only what this one did")
    .option("--registry <slug>", "the registry of --package")
    .option("--package <name>", "only what happened to this package; needs --registry");
  withExamples(withCommonOptions(withListOptions(audit)), [
    "audit --from 7d",
    "audit --registry my-npm --package @acme/app --json",
  ]).action(async (_options: unknown, command: Command) => {
    const { from, to, ...query } = parseOptions(command, flagsSchema);
    if ((query.registry === undefined) !== (query.package === undefined)) {
      throw usageError("--registry and --package go together.", "See: entrepot audit --help");
    }
    const nowMs = Date.now();
    await printList(command, {
      path: "/audit",
      query: {
        ...query,
        ...(from === undefined ? {} : { from: pastTime(from, nowMs) }),
        ...(to === undefined ? {} : { to: pastTime(to, nowMs) }),
      },
      item: auditEntrySchema,
      heads: ["TIME (UTC)", "ACTOR", "ACTION", "REGISTRY", "PACKAGE", "VERSION", "DETAIL"],
      row: (entry) => [
        formatTime(entry.at),
        entry.actor,
        entry.action,
        entry.registry ?? "",
        entry.package ?? "",
        entry.version ?? "",
        entry.detail ?? "",
      ],
    });
  });
}
