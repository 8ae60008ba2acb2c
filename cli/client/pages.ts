import * as z from "zod";
import type { ApiClient } from "./api-client.ts";

/** The largest page that the API gives. */
const MAX_PAGE = 100;

export interface ListOptions {
  /** Under `/api/v1`. */
  readonly path: string;
  /** Default: GET. POST for lists that are asked for with a body. */
  readonly method?: "POST";
  readonly body?: object;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Items in all; `Infinity` for every one. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Listed<T> {
  readonly items: readonly T[];
  /** Where the list goes on; absent at its end. */
  readonly nextCursor?: string;
}

/** Reads a list page by page until `limit` items are there or the list ends. Pages may be short or empty. */
export async function list<T>(
  api: ApiClient,
  item: z.ZodType<T>,
  options: ListOptions,
): Promise<Listed<T>> {
  const schema = z.looseObject({ items: z.array(item), nextCursor: z.string().nullish() });
  const items: T[] = [];
  let cursor = options.cursor;
  while (items.length < options.limit) {
    const page = await api.send({
      path: options.path,
      ...(options.method === undefined ? {} : { method: options.method }),
      ...(options.body === undefined ? {} : { body: options.body }),
      query: {
        ...options.query,
        limit: String(Math.min(MAX_PAGE, options.limit - items.length)),
        cursor,
      },
      schema,
    });
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
    if (cursor === undefined) return { items };
  }
  return cursor === undefined ? { items } : { items, nextCursor: cursor };
}
