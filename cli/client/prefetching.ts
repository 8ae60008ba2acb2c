import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "./api-client.ts";
import { apiPath } from "./api-path.ts";
import type { LockedPackage } from "./lockfiles/locked.ts";
import { type PrefetchedItem, prefetchedSchema } from "./schemas.ts";

/** As the API takes them; sums make items long, and a body has its limit too. */
const MAX_ITEMS = 100;
const MAX_BODY_CHARACTERS = 200_000;
/** A large file may take its time. */
const TIMEOUT_MS = 30 * 60_000;
/** While everything is still on its way to the server it is asked so often, which is longer than any file may take. */
const MAX_IDLE_CALLS = 100;
const IDLE_MS = 10_000;
/** The strongest of those that a lockfile names is compared. */
const ALGORITHMS = ["sha512", "sha256", "sha1", "md5"] as const;

export type PrefetchStatus = "cached" | "fetched" | "skipped" | "missing" | "failed" | "differs";

export interface PrefetchOutcome {
  readonly package: string;
  readonly version: string;
  readonly path?: string;
  /** `differs`: the bytes are not those of the lockfile; `skipped`: missing, and it need not exist. */
  readonly status: PrefetchStatus;
  /** What was wrong; empty when nothing was. */
  readonly detail: string;
  readonly sizeBytes: number;
}

/** Asks for all of it, some at a time, until nothing is pending. Outcomes come as they are known. */
export async function* prefetchAll(
  api: ApiClient,
  slug: string,
  packages: readonly LockedPackage[],
): AsyncGenerator<PrefetchOutcome> {
  const queue = [...packages];
  let idle = 0;
  while (queue.length > 0) {
    const batch = takeBatch(queue);
    const { items } = await api.send({
      method: "POST",
      path: apiPath`/registries/${slug}/prefetch`,
      body: { items: batch.map(itemOf) },
      schema: prefetchedSchema,
      timeoutMs: TIMEOUT_MS,
    });
    const pending: LockedPackage[] = [];
    for (const [position, locked] of batch.entries()) {
      const item = items[position];
      if (item === undefined || item.status === "pending") pending.push(locked);
      else yield outcomeOf(locked, item);
    }
    idle = pending.length === batch.length ? idle + 1 : 0;
    queue.unshift(...pending);
    if (idle > 0 && idle < MAX_IDLE_CALLS) await sleep(Math.min(IDLE_MS, 100 * 2 ** idle));
    if (idle < MAX_IDLE_CALLS) continue;
    for (const { package: name, version } of queue.splice(0)) {
      const detail = "it is still on its way, or the server has no time for it";
      yield { package: name, version, status: "failed", detail, sizeBytes: 0 };
    }
  }
}

function takeBatch(queue: LockedPackage[]): readonly LockedPackage[] {
  let count = 0;
  let characters = 0;
  for (const one of queue) {
    characters += JSON.stringify(itemOf(one)).length + 1;
    if (count === MAX_ITEMS || (count > 0 && characters > MAX_BODY_CHARACTERS)) break;
    count++;
  }
  return queue.splice(0, count);
}

const itemOf = ({ package: name, version, path, digests, byDigest }: LockedPackage): object => ({
  package: name,
  version,
  ...(path === undefined ? {} : { path }),
  ...(byDigest === true ? { digests } : {}),
});

function outcomeOf(locked: LockedPackage, item: PrefetchedItem): PrefetchOutcome {
  const { package: name, version, path } = locked;
  const about = { package: name, version, ...(path === undefined ? {} : { path }) };
  const { status, detail = "", sizeBytes } = item;
  if (status === "missing" && locked.optional === true) {
    return { ...about, status: "skipped", detail, sizeBytes };
  }
  if (status === "cached" || status === "fetched") {
    const different = item.files.find((file) => !isAsLocked(locked.digests, file.digests));
    if (different === undefined) return { ...about, status, detail: "", sizeBytes };
    const problem = `${different.path} is not what the lockfile says: it has ${sumsOf(different.digests)}`;
    return { ...about, status: "differs", detail: problem, sizeBytes };
  }
  return { ...about, status: status === "missing" ? "missing" : "failed", detail, sizeBytes };
}

type Digests = Readonly<Record<string, string>>;

/** By the strongest algorithm that both name. What the lockfile pins and nothing can be compared with is not as locked. */
export function isAsLocked(locked: readonly string[], digests: Digests): boolean {
  if (locked.length === 0) return true;
  const algorithm = ALGORITHMS.find(
    (name) => digests[name] !== undefined && locked.some((one) => one.startsWith(`${name}:`)),
  );
  return algorithm !== undefined && locked.includes(`${algorithm}:${digests[algorithm] ?? ""}`);
}

const sumsOf = (digests: Digests): string => {
  const algorithm = ALGORITHMS.find((name) => digests[name] !== undefined);
  return algorithm === undefined ? "no sum" : `${algorithm} ${digests[algorithm] ?? ""}`;
};
