/** Structured fields; never a token, an authorization header or a body. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** `error` keeps its stack in the log; callers only ever see the request id. */
  error(event: string, error: unknown, fields?: LogFields): void;
}

export const SILENT_LOG: Log = { info: () => {}, warn: () => {}, error: () => {} };
