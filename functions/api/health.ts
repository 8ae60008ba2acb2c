import { Hono } from "hono";
import type { Services } from "../../shared/services/services.ts";

/** Longer than a store that is well ever takes; shorter than load balancers wait. */
const TIMEOUT_MS = 2000;

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly milliseconds: number;
  /** Absent when all is well. Never the store's own words, which may hold addresses and names. */
  readonly problem?: string;
}

/**
 * `/healthz`: the process runs; restart it when this fails. `/readyz`: every store answers; 503 with what does
 * not, until it does. Both need no token.
 */
export function createHealthApp(services: Services): Hono {
  const { table, blobs, log } = services.stores;
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header("cache-control", "no-store");
  });
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    const checks = await Promise.all([
      check("table", () => table.ping()),
      check("blobs", () => blobs.ping()),
    ]);
    const ready = checks.every(({ ok }) => ok);
    if (!ready) {
      const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
      log.warn("health.not-ready", { stores: failed.join(" ") });
    }
    return c.json({ status: ready ? "ready" : "not-ready", checks }, ready ? 200 : 503);
  });
  return app;
}

async function check(name: string, ping: () => Promise<void>): Promise<Check> {
  const startedAt = performance.now();
  const problem = await Promise.race([
    ping().then(
      () => undefined,
      () => "does not answer",
    ),
    timeout(),
  ]);
  const milliseconds = Math.round(performance.now() - startedAt);
  return problem === undefined
    ? { name, ok: true, milliseconds }
    : { name, ok: false, milliseconds, problem };
}

async function timeout(): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(`no answer within ${TIMEOUT_MS} ms`), TIMEOUT_MS).unref();
  });
}
