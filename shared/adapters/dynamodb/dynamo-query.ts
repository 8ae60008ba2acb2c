import { QueryCommand } from "@aws-sdk/client-dynamodb";
import type { Item, Page, Query } from "../../ports/table.ts";
import { decodeCursor, encodeCursor, type Position } from "../../ports/table-cursor.ts";
import { type Bounds, queryBounds, withinBounds } from "../../ports/table-range.ts";
import type { WriteTarget } from "./dynamo-write.ts";
import { Placeholders } from "./expressions.ts";
import { indexToWire, isLiveOnWire, itemFromWire, keyToWire, type WireItem } from "./marshal.ts";
import { sendWithRetries } from "./retry.ts";
import {
  INDEX_NAME,
  INDEX_PARTITION_KEY,
  INDEX_SORT_KEY,
  PARTITION_KEY,
  SORT_KEY,
} from "./schema.ts";

/**
 * Reads one page. Requests go on until the page is full, DynamoDB ends one early (1 MB) with something in
 * the page, or the range ends: items that have expired take their share of a request's limit.
 *
 * @throws {InvalidCursorError} | {@link KeyTooLargeError} | {@link TableUnavailableError}
 */
export async function readPage(target: WriteTarget, query: Query): Promise<Page> {
  const bounds = queryBounds(query);
  if (bounds === undefined) return { items: [] };
  let start: WireItem | undefined;
  if (query.cursor !== undefined) {
    start = positionToWire(query, decodeCursor(query, query.cursor, bounds));
  }
  const now = target.nowSeconds();
  const items: Item[] = [];
  for (;;) {
    const limit = query.limit - items.length;
    const command = queryCommand(target.tableName, query, bounds, limit, start);
    const answer = await sendWithRetries(() => target.client.send(command), true);
    for (const wire of answer.Items ?? []) {
      const item = itemFromWire(wire);
      const within = withinBounds(orderKeyOf(query, item), bounds);
      if (within && isLiveOnWire(wire, now)) items.push(item);
    }
    start = answer.LastEvaluatedKey;
    if (start === undefined) return { items };
    const endedEarly = (answer.ScannedCount ?? limit) < limit;
    if (items.length === query.limit || (endedEarly && items.length > 0)) {
      return lastPosition(query, bounds, items, start);
    }
  }
}

function lastPosition(query: Query, bounds: Bounds, items: readonly Item[], last: WireItem): Page {
  const { key, index } = itemFromWire(last);
  const position: Position =
    query.index === true ? { sk: index?.sk ?? "", item: key } : { sk: key.sk };
  // Beyond an exclusive end, which DynamoDB's BETWEEN includes, there is nothing more.
  if (!withinBounds(position.sk, bounds)) return { items };
  return { items, cursor: encodeCursor(query, position) };
}

function orderKeyOf(query: Query, item: Item): string {
  return query.index === true ? (item.index?.sk ?? "") : item.key.sk;
}

function positionToWire(query: Query, position: Position): WireItem {
  if (position.item === undefined) return keyToWire({ pk: query.pk, sk: position.sk });
  return {
    ...keyToWire(position.item),
    ...indexToWire({ pk: query.pk, sk: position.sk }),
  };
}

function queryCommand(
  tableName: string,
  query: Query,
  bounds: Bounds,
  limit: number,
  start: WireItem | undefined,
): QueryCommand {
  const onIndex = query.index === true;
  const placeholders = new Placeholders();
  const pk = placeholders.name(onIndex ? INDEX_PARTITION_KEY : PARTITION_KEY);
  const conditions = [`${pk} = ${placeholders.value({ S: query.pk })}`];
  const range = rangeCondition(onIndex ? INDEX_SORT_KEY : SORT_KEY, bounds, placeholders);
  if (range !== undefined) conditions.push(range);
  return new QueryCommand({
    TableName: tableName,
    ...(onIndex ? { IndexName: INDEX_NAME } : { ConsistentRead: true }),
    KeyConditionExpression: conditions.join(" AND "),
    ...placeholders.fields(),
    ScanIndexForward: query.descending !== true,
    Limit: limit,
    ...(start && { ExclusiveStartKey: start }),
  });
}

// A key condition may name the sort key once, so two ends need BETWEEN, which includes both; the caller
// drops an item on an exclusive end.
function rangeCondition(
  sortKey: string,
  { lower, upper }: Bounds,
  placeholders: Placeholders,
): string | undefined {
  if (lower === undefined && upper === undefined) return undefined;
  const sk = placeholders.name(sortKey);
  const low = lower && placeholders.value({ S: lower.sk });
  const high = upper && placeholders.value({ S: upper.sk });
  if (low !== undefined && high !== undefined) return `${sk} BETWEEN ${low} AND ${high}`;
  if (low !== undefined) return `${sk} ${lower?.inclusive === true ? ">=" : ">"} ${low}`;
  return `${sk} ${upper?.inclusive === true ? "<=" : "<"} ${high}`;
}
