import { randomUUID } from "node:crypto";
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  ConditionFailedError,
  ItemTooLargeError,
  MAX_ITEM_BYTES,
  TableUnavailableError,
  type WriteOp,
} from "../../ports/table.ts";
import { isLiveOnWire, type WireItem } from "./marshal.ts";
import { holdOnAbsent, type OperationRequest, operationRequest, transactItem } from "./requests.ts";
import { pause, sendWithRetries } from "./retry.ts";

// Each round means that an item expired or came back to life between two requests.
const MAX_ROUNDS = 10;

/** Where to write. */
export interface WriteTarget {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Unix seconds. */
  readonly nowSeconds: () => number;
}

/** Why one operation was not carried out. */
interface Refusal {
  readonly position: number;
  readonly reason: "condition" | "invalid";
  readonly message: string;
  /** The item that failed an update's conditions, when there is one. */
  readonly found?: WireItem;
}

/**
 * Carries out operations that `checkWrite` has passed: all or none.
 *
 * @throws what `Table.write` throws.
 */
export async function writeOps(target: WriteTarget, ops: readonly WriteOp[]): Promise<void> {
  const startFresh = new Set<number>();
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const now = target.nowSeconds();
    const requests = ops.flatMap((op, position) => {
      const request = operationRequest(op, now, startFresh.has(position));
      return request === undefined ? [] : [{ position, request }];
    });
    const refusals = await send(target, requests);
    if (refusals.length === 0) return;
    const failedOps = trulyFailed(ops, refusals, startFresh, now);
    if (failedOps.length > 0) throw new ConditionFailedError(failedOps);
    throwInvalid(ops, refusals);
    if (round > 1) await pause(round);
  }
  throw new TableUnavailableError("an item keeps expiring and coming back");
}

interface PositionedRequest {
  readonly position: number;
  readonly request: OperationRequest;
}

async function send(
  target: WriteTarget,
  requests: readonly PositionedRequest[],
): Promise<readonly Refusal[]> {
  const [only, second] = requests;
  if (only === undefined) return [];
  if (second === undefined && only.request.kind !== "check") return sendAlone(target, only);
  const input = {
    TransactItems: requests.map(({ request }) => transactItem(request, target.tableName)),
    // Ten minutes long DynamoDB answers a repeated token with the first outcome.
    ClientRequestToken: randomUUID(),
  };
  try {
    await sendWithRetries(() => target.client.send(new TransactWriteItemsCommand(input)), true);
    return [];
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const refusals = requests.flatMap(({ position }, at) => {
      const reason = error.CancellationReasons?.[at];
      const kind = REFUSALS.get(reason?.Code ?? "None");
      const found = reason?.Item;
      if (kind === undefined) return [];
      return [{ position, reason: kind, message: reason?.Message ?? "", ...(found && { found }) }];
    });
    if (refusals.length === 0) throw error;
    return refusals;
  }
}

const REFUSALS: ReadonlyMap<string, Refusal["reason"]> = new Map([
  ["ConditionalCheckFailed", "condition"],
  ["ValidationError", "invalid"],
]);

// A single operation costs half of what it does as a transaction.
async function sendAlone(
  target: WriteTarget,
  { position, request }: PositionedRequest,
): Promise<readonly Refusal[]> {
  try {
    await sendWithRetries(() => sendOne(target, request), isRepeatable(request));
    return [];
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      const found = error.Item;
      return [{ position, reason: "condition", message: error.message, ...(found && { found }) }];
    }
    if (error instanceof Error && error.name === "ValidationException") {
      return [{ position, reason: "invalid", message: error.message }];
    }
    throw error;
  }
}

async function sendOne(
  { client, tableName }: WriteTarget,
  request: OperationRequest,
): Promise<void> {
  const TableName = tableName;
  if (request.kind === "put") {
    await client.send(new PutItemCommand({ ...request.fields, TableName }));
  } else if (request.kind === "update") {
    await client.send(new UpdateItemCommand({ ...request.fields, TableName }));
  } else if (request.kind === "delete") {
    await client.send(new DeleteItemCommand({ ...request.fields, TableName }));
  }
}

// Sent twice, an addition counts twice, and a condition may fail on what the first sending did.
function isRepeatable(request: OperationRequest): boolean {
  if (request.kind === "update") return false;
  return request.fields.ConditionExpression === undefined;
}

/**
 * The operations whose own conditions do not hold, as far as this attempt shows. Updates that failed only
 * because their item had expired, or had come back, change sides in `startFresh` for the next attempt.
 */
function trulyFailed(
  ops: readonly WriteOp[],
  refusals: readonly Refusal[],
  startFresh: Set<number>,
  nowSeconds: number,
): number[] {
  const failed: number[] = [];
  for (const { position, reason, found } of refusals) {
    const op = ops[position];
    if (reason !== "condition" || op === undefined) continue;
    if (startFresh.delete(position)) continue;
    const expired = op.op === "update" && found !== undefined && !isLiveOnWire(found, nowSeconds);
    if (expired && holdOnAbsent(op.conditions ?? [])) startFresh.add(position);
    else failed.push(position);
  }
  return failed;
}

function throwInvalid(ops: readonly WriteOp[], refusals: readonly Refusal[]): void {
  for (const { position, reason, message } of refusals) {
    const op = ops[position];
    if (reason !== "invalid" || op === undefined) continue;
    // DynamoDB does not say how large the item would have become.
    if (/size/i.test(message)) {
      throw new ItemTooLargeError(op.op === "put" ? op.item.key : op.key, MAX_ITEM_BYTES + 1);
    }
    throw new TypeError(`DynamoDB refuses the operation: ${message}`);
  }
}
