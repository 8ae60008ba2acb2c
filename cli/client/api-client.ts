import type * as z from "zod";
import { ApiError, CliError, EXIT } from "./failures.ts";
import { networkFailure } from "./network-failure.ts";
import { isRefusedForNow, isTransient, retrying } from "./retry.ts";
import { problemSchema } from "./schemas.ts";

export interface Connection {
  /** Origin of the server, perhaps with a path, without a slash at the end. */
  readonly url: string;
  /** Absent: anonymous. */
  readonly token?: string;
}

export interface ApiRequest<T> {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Under `/api/v1`, encoded. */
  readonly path: string;
  /** What is `undefined` is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: object;
  readonly schema: z.ZodType<T>;
  readonly signal?: AbortSignal | undefined;
  /** Runs in all; default 3. */
  readonly attempts?: number;
  /** For the whole answer; default one minute. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;
const ATTEMPTS = 3;

/** Talks to one server as one caller. Every answer is parsed; every failure is a {@link CliError}. */
export class ApiClient {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(connection: Connection) {
    this.url = connection.url;
    this.#token = connection.token;
  }

  get isAnonymous(): boolean {
    return this.#token === undefined;
  }

  /**
   * One call of the API. Reads are repeated after lost connections; changes only when the server says that
   * nothing was done.
   *
   * @throws {ApiError} | {@link NetworkError} | {@link CliError} when the answer is not what the API promises.
   */
  async send<T>(request: ApiRequest<T>): Promise<T> {
    const { method = "GET", attempts = ATTEMPTS, signal } = request;
    const when = (error: unknown): boolean =>
      isRefusedForNow(error) || (method === "GET" && isTransient(error) && !isDown(error));
    return retrying({ attempts, signal, when }, () => this.#once(request, method));
  }

  async #once<T>(request: ApiRequest<T>, method: string): Promise<T> {
    const url = new URL(`${this.url}/api/v1${request.path}`);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const response = await this.fetch(url.href, {
      method,
      signal: withTimeout(request.timeoutMs ?? TIMEOUT_MS, request.signal),
      ...(request.body === undefined
        ? {}
        : {
            headers: { "content-type": "application/json" },
            body: JSON.stringify(request.body),
          }),
    });
    const text = await readText(response, url.href);
    const parsed = request.schema.safeParse(text === "" ? {} : parseJson(text));
    if (parsed.success) return parsed.data;
    throw new CliError(
      EXIT.failure,
      `${url.origin}${url.pathname} did not answer as Entrepot does.`,
      {
        hint: "Check that the URL is the one of an Entrepot server, and that this command is as new as the server.",
        cause: parsed.error,
      },
    );
  }

  /**
   * Any request to the server, with the caller's token.
   *
   * @throws {ApiError} for statuses from 400 on, {@link NetworkError}; the abort's reason when aborted.
   */
  async fetch(url: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("user-agent", "entrepot-cli");
    if (this.#token !== undefined) headers.set("authorization", `Bearer ${this.#token}`);
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers });
    } catch (error) {
      if (isAbort(error)) throw error;
      throw networkFailure(url, error);
    }
    if (response.status < 400) return response;
    throw await this.#refusal(response, url);
  }

  async #refusal(response: Response, url: string): Promise<ApiError> {
    const parsed = problemSchema.safeParse(parseJson(await readText(response, url)));
    const problem = parsed.success ? parsed.data : {};
    const { status } = response;
    const retryAfterSeconds = Math.max(0, Number(response.headers.get("retry-after") ?? 0)) || 0;
    // `urn:entrepot:error:not-found` names the same code.
    const code = problem.code ?? problem.type?.split(":").at(-1) ?? "";
    const answer = { status, code, retryAfterSeconds };
    const { pathname } = new URL(url);
    const message =
      problem.detail ?? problem.title ?? `${pathname} answered with status ${status}.`;
    const issues = (problem.issues ?? []).map((issue) => `\n  ${issue.at}: ${issue.problem}`);
    const hint = this.#hint(status, problem.requestId ?? response.headers.get("x-request-id"));
    return new ApiError(answer, message + issues.join(""), {
      ...(hint === undefined ? {} : { hint }),
      problem: { status, ...problem },
    });
  }

  #hint(status: number, requestId: string | null): string | undefined {
    if (status === 401) {
      return this.isAnonymous
        ? `You are not logged in to ${this.url}. Log in: entrepot login ${this.url}`
        : `Log in with another token: entrepot login ${this.url}`;
    }
    if (status >= 500 && requestId !== null)
      return `The server's log knows more under request ${requestId}.`;
    return undefined;
  }
}

/** A server that is not there now will not be there a second later: say so at once. */
function isDown(error: unknown): boolean {
  return error instanceof CliError && /connection refused|no such host/.test(error.message);
}

function withTimeout(timeoutMs: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

async function readText(response: Response, url: string): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw networkFailure(url, error);
  }
}

/** `undefined` for what is not JSON: proxies answer in HTML. */
function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
