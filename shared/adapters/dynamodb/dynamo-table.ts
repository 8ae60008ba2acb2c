import { BatchGetItemCommand, type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import {
  type Item,
  type Key,
  type Page,
  type Query,
  type Table,
  TableUnavailableError,
  type WriteOp,
} from "../../ports/table.ts";
import { checkKey, checkWrite } from "../../ports/table-limits.ts";
import { readPage } from "./dynamo-query.ts";
import { type WriteTarget, writeOps } from "./dynamo-write.ts";
import { isLiveOnWire, itemFromWire, keyToWire, type WireItem } from "./marshal.ts";
import { pause, sendWithRetries } from "./retry.ts";

const MAX_KEYS = 100;
const MAX_BATCHES = 20;

/** What a {@link DynamoTable} is made of. */
export interface DynamoTableOptions {
  /**
   * Must have `maxAttempts: 1` (see `dynamoClient`): the SDK repeats a write whose outcome is unknown, which
   * counts additions twice and makes an `absent` condition fail on its own success.
   */
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** The clock for expiry, in Unix seconds; the machine's own when absent. */
  readonly nowSeconds?: () => number;
}

/** The table in DynamoDB, as `schema.ts` describes it. */
export class DynamoTable implements Table {
  readonly #target: WriteTarget;
  readonly #underWay = new Set<Promise<void>>();

  constructor({ client, tableName, nowSeconds }: DynamoTableOptions) {
    const clock = nowSeconds ?? (() => Math.floor(Date.now() / 1000));
    this.#target = { client, tableName, nowSeconds: clock };
  }

  async get(key: Key): Promise<Item | undefined> {
    checkKey(key);
    const { client, tableName } = this.#target;
    const command = new GetItemCommand({
      TableName: tableName,
      Key: keyToWire(key),
      ConsistentRead: true,
    });
    const { Item } = await sendWithRetries(() => client.send(command), true);
    return this.#live(Item);
  }

  async getMany(keys: readonly Key[]): Promise<readonly (Item | undefined)[]> {
    if (keys.length > MAX_KEYS) throw new TypeError(`more than ${MAX_KEYS} keys`);
    for (const key of keys) checkKey(key);
    // A batch with a repeated key is refused.
    const distinct = new Map(keys.map((key) => [textOf(key), keyToWire(key)]));
    const found = await this.#batch([...distinct.values()]);
    return keys.map((key) => found.get(textOf(key)));
  }

  async query(query: Query): Promise<Page> {
    return readPage(this.#target, query);
  }

  async write(ops: readonly WriteOp[]): Promise<void> {
    checkWrite(ops);
    const writing = writeOps(this.#target, ops);
    this.#underWay.add(writing);
    try {
      await writing;
    } finally {
      this.#underWay.delete(writing);
    }
  }

  async ping(): Promise<void> {
    const { client, tableName } = this.#target;
    const key = keyToWire({ pk: "ping", sk: "ping" });
    const command = new GetItemCommand({ TableName: tableName, Key: key });
    // Whoever asks for readiness wants to know it now, not after the pauses of many attempts.
    await sendWithRetries(() => client.send(command), false);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    this.#target.client.destroy();
  }

  // An answer holds at most 16 MB and leaves the other keys unprocessed.
  async #batch(keys: readonly WireItem[]): Promise<Map<string, Item>> {
    const { client, tableName } = this.#target;
    const found = new Map<string, Item>();
    let left = keys;
    for (let batch = 1; left.length > 0; batch += 1) {
      if (batch > MAX_BATCHES) throw new TableUnavailableError("DynamoDB leaves keys unread");
      const command = new BatchGetItemCommand({
        RequestItems: { [tableName]: { Keys: [...left], ConsistentRead: true } },
      });
      const answer = await sendWithRetries(() => client.send(command), true);
      const wires = answer.Responses?.[tableName] ?? [];
      for (const wire of wires) {
        const item = this.#live(wire);
        if (item !== undefined) found.set(textOf(item.key), item);
      }
      left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (left.length > 0 && wires.length === 0) await pause(batch);
    }
    return found;
  }

  #live(wire: WireItem | undefined): Item | undefined {
    const live = wire !== undefined && isLiveOnWire(wire, this.#target.nowSeconds());
    return live ? itemFromWire(wire) : undefined;
  }
}

function textOf(key: Key): string {
  return `${key.pk}\0${key.sk}`;
}
