import type { AttributeValue, TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { Attributes, Condition, UpdateOp, WriteOp } from "../../ports/table.ts";
import { conditionExpression, notExpired, Placeholders, updateExpression } from "./expressions.ts";
import { itemToWire, keyToWire, type WireItem } from "./marshal.ts";

/** One operation as DynamoDB takes it, alone or in a transaction; `Placeholders.fields()` are in it. */
export type OperationRequest =
  | { readonly kind: "put"; readonly fields: ConditionFields & { readonly Item: WireItem } }
  | {
      readonly kind: "update";
      readonly fields: ConditionFields & {
        readonly Key: WireItem;
        readonly UpdateExpression: string;
        readonly ReturnValuesOnConditionCheckFailure: "ALL_OLD";
      };
    }
  | { readonly kind: "delete"; readonly fields: ConditionFields & { readonly Key: WireItem } }
  | {
      readonly kind: "check";
      readonly fields: ConditionFields & {
        readonly Key: WireItem;
        readonly ConditionExpression: string;
      };
    };

interface ConditionFields {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

const ABSENT: readonly Condition[] = [{ kind: "absent" }];

/**
 * An operation as a request, `undefined` for a check of nothing.
 *
 * An update cannot make DynamoDB forget the attributes of an item that has expired and is not yet removed.
 * So an update also demands that its item has not expired; when that fails, `startFresh` makes it a put of
 * what it makes of nothing, on condition that the item is still absent or expired.
 */
export function operationRequest(
  op: WriteOp,
  nowSeconds: number,
  startFresh: boolean,
): OperationRequest | undefined {
  const placeholders = new Placeholders();
  const conditionsOf = (conditions: readonly Condition[]) => {
    const expression = conditionExpression(conditions, nowSeconds, placeholders);
    return expression === undefined ? {} : { ConditionExpression: expression };
  };
  switch (op.op) {
    case "put": {
      const condition = conditionsOf(op.conditions ?? []);
      const fields = { ...condition, ...placeholders.fields(), Item: itemToWire(op.item) };
      return { kind: "put", fields };
    }
    case "delete": {
      const condition = conditionsOf(op.conditions ?? []);
      const fields = { ...condition, ...placeholders.fields(), Key: keyToWire(op.key) };
      return { kind: "delete", fields };
    }
    case "check": {
      const condition = conditionExpression(op.conditions, nowSeconds, placeholders);
      if (condition === undefined) return undefined;
      const fields = { ConditionExpression: condition, ...placeholders.fields() };
      return { kind: "check", fields: { ...fields, Key: keyToWire(op.key) } };
    }
    case "update": {
      if (startFresh) {
        const condition = conditionsOf(ABSENT);
        return {
          kind: "put",
          fields: { ...condition, ...placeholders.fields(), Item: freshItem(op) },
        };
      }
      const UpdateExpression = updateExpression(op, placeholders);
      const own = conditionExpression(op.conditions ?? [], nowSeconds, placeholders);
      const live = notExpired(nowSeconds, placeholders);
      const ConditionExpression = own === undefined ? live : `${live} AND ${own}`;
      const fields = {
        ConditionExpression,
        UpdateExpression,
        ...placeholders.fields(),
        Key: keyToWire(op.key),
        ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
      };
      return { kind: "update", fields };
    }
  }
  throw new TypeError(`an unknown operation: ${JSON.stringify(op satisfies never)}`);
}

/** The same request as a part of a transaction. */
export function transactItem(request: OperationRequest, TableName: string): TransactWriteItem {
  switch (request.kind) {
    case "put":
      return { Put: { ...request.fields, TableName } };
    case "update":
      return { Update: { ...request.fields, TableName } };
    case "delete":
      return { Delete: { ...request.fields, TableName } };
    case "check":
      return { ConditionCheck: { ...request.fields, TableName } };
  }
  throw new TypeError(`an unknown request: ${JSON.stringify(request satisfies never)}`);
}

/** Whether conditions hold on an item that is absent. */
export function holdOnAbsent(conditions: readonly Condition[]): boolean {
  return conditions.every(
    ({ kind }) => kind === "absent" || kind === "attributeAbsent" || kind === "notEquals",
  );
}

function freshItem(op: UpdateOp): WireItem {
  const attributes: Attributes = { ...op.set, ...op.add };
  return itemToWire({
    key: op.key,
    attributes,
    ...(op.index && { index: op.index }),
    ...(typeof op.expiresAtSeconds === "number" && { expiresAtSeconds: op.expiresAtSeconds }),
  });
}
