import { type AuditEntry, type RegistryEvent } from "../domain/audit.ts";
import { timeOrderedId } from "../domain/identifiers.ts";
import { actorName, type Caller } from "../domain/principal.ts";
import type { Query, Table, WriteOp } from "../ports/table.ts";
import {
  auditByActorQuery,
  auditByDayQuery,
  auditByPackageQuery,
  auditDay,
  auditOps,
  type TimeRange,
  toAuditEntry,
} from "../records/audit.ts";
import { outboxOp } from "../records/outbox.ts";
import { mapPage, type PageOf, type PageOptions } from "../records/pages.ts";
import { InvalidInputError } from "../errors.ts";

/** What happened; who, when and from where is added from the caller. */
export type Happening = Pick<AuditEntry, "action" | "registry" | "package" | "version" | "detail">;

/** The rows that a change adds to its own transaction: the audit entry and the event for the workers. */
export function recordOps(
  caller: Caller,
  happening: Happening,
  registryId: string,
  nowMs: number,
): readonly WriteOp[] {
  const { principal } = caller;
  const event: RegistryEvent = {
    ...happening,
    registryId,
    id: timeOrderedId(nowMs),
    atMs: nowMs,
    actor: actorName(principal),
    tokenId: principal.kind === "token" ? principal.tokenId : "",
    address: caller.address,
    requestId: caller.requestId,
  };
  const { registryId: _, ...entry } = event;
  return [...auditOps(entry, registryId), outboxOp(event)];
}

export type AuditSubject =
  | { readonly kind: "all" }
  | { readonly kind: "actor"; readonly actor: string }
  | { readonly kind: "package"; readonly registryId: string; readonly packageName: string };

/** Days read for one page at most; a quiet stretch then ends the page early, with a cursor to go on. */
const MAX_DAYS_A_PAGE = 62;
const DAY_MS = 86_400_000;

export class AuditLog {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Entries newest first. @throws {InvalidInputError} for a cursor that is not ours. */
  async list(
    subject: AuditSubject,
    times: TimeRange,
    options: PageOptions,
  ): Promise<PageOf<AuditEntry>> {
    switch (subject.kind) {
      case "actor":
        return this.#page(auditByActorQuery(subject.actor, times, options));
      case "package":
        return this.#page(
          auditByPackageQuery(subject.registryId, subject.packageName, times, options),
        );
      case "all":
        return this.#listDays(times, options);
    }
    throw new Error(`unknown subject ${JSON.stringify(subject satisfies never)}`);
  }

  async #page(query: Query): Promise<PageOf<AuditEntry>> {
    return mapPage(await this.#table.query(query), toAuditEntry);
  }

  /** A cursor is the day that the next page starts in and, behind a dot, the place within it. */
  async #listDays(times: TimeRange, options: PageOptions): Promise<PageOf<AuditEntry>> {
    const [startDay, startCursor] = parseDayCursor(options.cursor, times);
    const firstMs = Date.parse(auditDay(times.fromMs));
    const items: AuditEntry[] = [];
    let dayMs = Date.parse(startDay);
    let cursor = startCursor;
    for (let days = 0; days < MAX_DAYS_A_PAGE && dayMs >= firstMs; days++, dayMs -= DAY_MS) {
      const day = auditDay(dayMs);
      const page = await this.#page(
        auditByDayQuery(day, times, {
          limit: options.limit - items.length,
          ...(cursor === undefined ? {} : { cursor }),
        }),
      );
      items.push(...page.items);
      cursor = undefined;
      if (page.cursor !== undefined) return { items, cursor: `${day}.${page.cursor}` };
      if (items.length >= options.limit) {
        dayMs -= DAY_MS;
        break;
      }
    }
    return dayMs < firstMs ? { items } : { items, cursor: `${auditDay(dayMs)}.` };
  }
}

function parseDayCursor(
  cursor: string | undefined,
  times: TimeRange,
): readonly [string, string | undefined] {
  if (cursor === undefined) return [auditDay(times.toMs - 1), undefined];
  const match = /^(\d{4}-\d{2}-\d{2})\.(.*)$/.exec(cursor);
  const day = match?.[1];
  const within = match?.[2];
  if (day === undefined || Number.isNaN(Date.parse(day))) {
    throw new InvalidInputError("The cursor is not one of this list.");
  }
  return [day, within === "" ? undefined : within];
}
