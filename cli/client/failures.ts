/** What the process exits with; documented in docs/cli.md, so that scripts may rely on them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  authentication: 3,
  notFound: 4,
  conflict: 5,
  unavailable: 6,
  /** 128 + SIGINT, as shells count. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface FailureOptions {
  /** What to do about it, as lines of its own. */
  readonly hint?: string;
  /** The server's own problem document (RFC 9457), for `--json`. */
  readonly problem?: object;
  readonly cause?: unknown;
}

/** A failure with words for the person at the terminal. Never holds a token. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  readonly problem: object | undefined;
  constructor(exitCode: ExitCode, message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause });
    this.exitCode = exitCode;
    this.hint = options.hint;
    this.problem = options.problem;
  }
}

/** The command was called in a way that cannot work. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(EXIT.usage, message, hint === undefined ? {} : { hint });
}

/** The request cannot have reached the server, or its answer was lost. Trying again may succeed. */
export class NetworkError extends CliError {
  constructor(message: string, options: FailureOptions = {}) {
    super(EXIT.unavailable, message, options);
  }
}

/** The server answered, and the answer is a refusal. */
export class ApiError extends CliError {
  /** HTTP status. */
  readonly status: number;
  /** The server's own word (`not-found`, `version-exists`…); empty when what answered was not Entrepot. */
  readonly code: string;
  /** From `Retry-After`, in seconds; 0 when absent. */
  readonly retryAfterSeconds: number;
  constructor(
    answer: {
      readonly status: number;
      readonly code: string;
      readonly retryAfterSeconds: number;
    },
    message: string,
    options: FailureOptions = {},
  ) {
    super(exitCodeOfStatus(answer.status), message, options);
    this.status = answer.status;
    this.code = answer.code;
    this.retryAfterSeconds = answer.retryAfterSeconds;
  }
}

/** The exit code that an HTTP status means. */
export function exitCodeOfStatus(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.authentication;
  if (status === 404 || status === 410) return EXIT.notFound;
  if (status === 409 || status === 412) return EXIT.conflict;
  if (status === 429 || (status >= 502 && status <= 504)) return EXIT.unavailable;
  return EXIT.failure;
}

/** A `code` such as `ENOENT` or `ECONNREFUSED` of a system error, or of what caused it; empty without one. */
export function systemCode(error: unknown): string {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth++) {
    if ("code" in current && typeof current.code === "string") return current.code;
    // Happy eyeballs: the errors of each address stand in an AggregateError.
    current = current instanceof AggregateError ? current.errors[0] : current.cause;
  }
  return "";
}
