/** The sections of `docs/runbook.md` that alarms send people to; a test holds both together. */
export const RUNBOOK_SECTIONS = [
  "Publish failures",
  "Pull failures",
  "Corrupt artifact",
  "Authentication failures",
  "High latency",
  "Version collision",
  "Storage quota",
  "Replication lag",
  "Background work",
  "Upstream failures",
  "Throttling",
  "Unfinished uploads",
  "Ingest",
] as const;

export type RunbookSection = (typeof RUNBOOK_SECTIONS)[number];

/** Where a section is, as the last words of an alarm's description. */
export function runbookLink(section: RunbookSection): string {
  return `docs/runbook.md#${section.toLowerCase().replaceAll(" ", "-")}`;
}
