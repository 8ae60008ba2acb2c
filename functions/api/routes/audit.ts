import { createRoute } from "@hono/zod-openapi";
import type * as z from "zod";
import { InvalidInputError } from "../../../shared/errors.ts";
import type { Caller } from "../../../shared/domain/principal.ts";
import type { AuditEntry } from "../../../shared/domain/audit.ts";
import type { TimeRange } from "../../../shared/records/audit.ts";
import type { PageOf } from "../../../shared/records/pages.ts";
import type { AuditSubject } from "../../../shared/services/audit.ts";
import type { Services } from "../../../shared/services/services.ts";
import { renderAuditEntry, renderPage } from "../render.ts";
import { pageOf, type Present, present } from "../schema/common.ts";
import { auditEntry, auditQuery } from "../schema/operations.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { openPackage, requireEverywhere } from "./open.ts";
import { json, READ_PROBLEMS } from "./responses.ts";

const DEFAULT_RANGE_MS = 7 * 86_400_000;
/** The end of the year 9999: later ones have no name of four digits. */
const MAX_MS = 253_402_300_799_999;

const list = createRoute({
  method: "get",
  path: "/audit",
  operationId: "listAuditEntries",
  summary: "Who changed what, newest first (scope `audit:read`)",
  description:
    "Three lists exist: of everything, of one `actor`, and of one `package` of a `registry`. Each within `from` and `to`.",
  tags: ["Operations"],
  request: { query: auditQuery },
  responses: { 200: json("A page of entries.", pageOf(auditEntry)), ...READ_PROBLEMS },
});

type AuditQuery = Present<z.infer<typeof auditQuery>>;

/** `/audit`. */
export function createAuditRoutes(services: Services): ApiRouter {
  return createRouter().openapi(list, async (c) => {
    const caller = c.get("caller");
    const query = present(c.req.valid("query"));
    const subject = await subjectOf(services, caller, query);
    const { limit, cursor } = query;
    if (cursor === undefined) {
      const times = timesOf(query, services.stores.now());
      return c.json(
        renderAudit(await services.auditLog.list(subject, times, { limit }), times),
        200,
      );
    }
    const { times, within } = parseCursor(cursor);
    const page = await services.auditLog.list(subject, times, { limit, cursor: within });
    return c.json(renderAudit(page, times), 200);
  });
}

function renderAudit(page: PageOf<AuditEntry>, { fromMs, toMs }: TimeRange) {
  const { cursor } = page;
  return renderPage(
    cursor === undefined ? page : { ...page, cursor: `${fromMs}-${toMs}-${cursor}` },
    renderAuditEntry,
  );
}

async function subjectOf(
  services: Services,
  caller: Caller,
  query: AuditQuery,
): Promise<AuditSubject> {
  services.access.requireScope(caller, "audit:read");
  const { actor, registry: slug, package: name } = query;
  const wrong =
    (slug === undefined) !== (name === undefined) || (actor !== undefined && slug !== undefined);
  if (wrong) {
    throw new InvalidInputError(
      "Filter by actor alone, or by registry and package together, or not at all; other combinations are not indexed.",
      [{ at: "query", problem: "no such combination of filters" }],
    );
  }
  if (slug !== undefined && name !== undefined) {
    const { grant, packageName } = await openPackage(
      services,
      caller,
      { slug, package: name },
      "audit:read",
    );
    return { kind: "package", registryId: grant.registry.id, packageName };
  }
  // These lists span all registries, so a token that is bound to some must not read them.
  requireEverywhere(services, caller, "audit:read");
  return actor === undefined ? { kind: "all" } : { kind: "actor", actor };
}

function timesOf({ from, to }: AuditQuery, nowMs: number): TimeRange {
  const toMs = to === undefined ? nowMs + 1 : atMs(to);
  const fromMs = from === undefined ? Math.max(0, toMs - DEFAULT_RANGE_MS) : atMs(from);
  if (fromMs < toMs) return { fromMs, toMs };
  throw new InvalidInputError("`from` must lie before `to`.", [
    { at: "from", problem: "not before `to`" },
  ]);
}

const atMs = (text: string): number => Math.min(Math.max(0, Date.parse(text)), MAX_MS);

/**
 * A cursor of ours: the times of the first page, because a default of "now" would be another list on each page,
 * and the service's own cursor.
 */
function parseCursor(cursor: string): { readonly times: TimeRange; readonly within: string } {
  const [, from = "", to = "", within] = /^(\d{1,15})-(\d{1,15})-(.+)$/.exec(cursor) ?? [];
  if (within === undefined || Number(to) > MAX_MS) {
    throw new InvalidInputError("The cursor is not one of this list; start without a cursor.", [
      { at: "cursor", problem: "not a cursor" },
    ]);
  }
  return { times: { fromMs: Number(from), toMs: Number(to) }, within };
}
