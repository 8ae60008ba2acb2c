import type { ApiClient } from "../api-client.ts";
import { apiPath } from "../api-path.ts";
import { ApiError, CliError, EXIT } from "../failures.ts";
import { isTransient, retrying } from "../retry.ts";
import { type PartTicket, partTicketsSchema, type UploadView } from "../schemas.ts";
import { type PartSource, sendPart } from "./send-part.ts";

const ATTEMPTS = 6;
/** Tickets expire, so that they are fetched as they are needed. */
const TICKETS_AT_ONCE = 20;

export interface SendOptions {
  readonly source: PartSource;
  /** Parts under way at the same time. */
  readonly parallel: number;
  readonly signal?: AbortSignal | undefined;
  /** Bytes handed to the network; negative when a part failed and starts anew. */
  readonly onBytes: (bytes: number) => void;
}

/** Sends the parts of one upload that have not arrived. */
export class PartSender {
  readonly #api: ApiClient;
  readonly #upload: UploadView;
  readonly #options: SendOptions;
  readonly #tickets: Map<number, PartTicket>;
  #fetching: Promise<void> = Promise.resolve();

  constructor(api: ApiClient, upload: UploadView, options: SendOptions) {
    this.#api = api;
    this.#upload = upload;
    this.#options = options;
    this.#tickets = new Map(upload.parts.map((ticket) => [ticket.partNumber, ticket]));
  }

  /**
   * Sends the parts of these numbers, a few at a time, each again after a lost connection or with a fresh
   * ticket. The first part that cannot be sent stops the others.
   */
  async send(partNumbers: readonly number[]): Promise<void> {
    const stop = new AbortController();
    const { signal } = this.#options;
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const waiting = [...partNumbers];
    const worker = async (): Promise<void> => {
      for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
        await this.#sendOne(number, waiting, either);
      }
    };
    const workers = Array.from({ length: this.#options.parallel }, async () => {
      try {
        await worker();
      } catch (error) {
        stop.abort();
        throw error;
      }
    });
    const outcomes = await Promise.allSettled(workers);
    signal?.throwIfAborted();
    const failures = outcomes.flatMap((outcome): unknown[] =>
      outcome.status === "rejected" ? [outcome.reason] : [],
    );
    // Those that were only stopped say nothing.
    const failure = failures.find((reason) => reason instanceof CliError) ?? failures[0];
    if (failure !== undefined) throw failure;
  }

  async #sendOne(number: number, next: readonly number[], signal: AbortSignal): Promise<void> {
    const { source, onBytes } = this.#options;
    await retrying({ attempts: ATTEMPTS, signal, when: mayRetry }, async () => {
      const ticket = await this.#ticket(number, next, signal);
      let sentBytes = 0;
      try {
        await sendPart({
          url: new URL(ticket.url, this.#api.url),
          headers: ticket.headers,
          source,
          start: (number - 1) * this.#upload.partSizeBytes,
          sizeBytes: ticket.sizeBytes,
          signal,
          onBytes: (bytes) => {
            sentBytes += bytes;
            onBytes(bytes);
          },
        });
      } catch (error) {
        onBytes(-sentBytes);
        this.#tickets.delete(number);
        throw explain(error);
      }
    });
  }

  async #ticket(number: number, next: readonly number[], signal: AbortSignal): Promise<PartTicket> {
    // One request at a time: the first may bring the tickets that the others wait for.
    const before = this.#fetching;
    const fetching = (async () => {
      await before;
      if (!this.#tickets.has(number)) await this.#fetchTickets(number, next, signal);
    })();
    this.#fetching = fetching.catch(() => undefined);
    await fetching;
    const ticket = this.#tickets.get(number);
    if (ticket !== undefined) return ticket;
    throw new CliError(EXIT.failure, `The server gave no ticket for part ${number}.`);
  }

  async #fetchTickets(number: number, next: readonly number[], signal: AbortSignal): Promise<void> {
    const more = next.filter((other) => !this.#tickets.has(other)).slice(0, TICKETS_AT_ONCE - 1);
    const { parts } = await this.#api.send({
      method: "POST",
      path: apiPath`/uploads/${this.#upload.id}/parts`,
      body: { partNumbers: [number, ...more] },
      schema: partTicketsSchema,
      signal,
    });
    for (const ticket of parts) this.#tickets.set(ticket.partNumber, ticket);
  }
}

/** 403: the ticket has expired, and the next attempt has a fresh one. */
function mayRetry(error: unknown): boolean {
  const expired =
    error instanceof ApiError && error.status === 403 && error.code === "AccessDenied";
  return expired || isTransient(error);
}

function explain(error: unknown): unknown {
  if (!(error instanceof ApiError) || error.code !== "NoSuchUpload") return error;
  return new CliError(
    EXIT.failure,
    "The upload is over on the server: it was completed, aborted, or has expired.",
    {
      hint: "Push the file again; a new upload starts.",
      cause: error,
    },
  );
}
