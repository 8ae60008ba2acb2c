import pino from "pino";
import pretty from "pino-pretty";
import type { Log } from "../../shared/ports/log.ts";
import type { ServeConfig } from "./config.ts";

/** How often buffered lines are written when there is little to log. */
const FLUSH_MS = 500;

/** Some 250 requests: a busy server writes its log a few dozen times a second instead of hundreds. */
const BATCH_LENGTH = 64 * 1024;

export interface Logger extends Log {
  /** Writes out what is buffered. */
  flush(): void;
}

/**
 * The server's log on standard error (standard output is for the start-up banner): JSON lines, or readable
 * ones on a terminal. Lines are buffered, so that a request never waits for the disk.
 */
export function createLogger(config: Pick<ServeConfig, "log" | "logLevel">): Logger {
  const readable = config.log === "pretty" || (config.log === "auto" && process.stderr.isTTY);
  const destination = readable
    ? pretty({
        destination: 2,
        ignore: "pid,hostname",
        singleLine: true,
        translateTime: "SYS:HH:MM:ss.l",
        sync: true,
      })
    : pino.destination({ dest: 2, sync: false });
  // Whoever read the log has gone; the registry goes on without one.
  destination.on("error", () => {});
  const batch = new Batch(destination);
  const logger = pino(
    {
      level: config.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    readable ? destination : batch,
  );
  const flush = (): void => {
    batch.flush();
    try {
      if ("flushSync" in destination) destination.flushSync();
    } catch {
      // As above.
    }
  };
  setInterval(() => batch.flush(), FLUSH_MS).unref();
  return {
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, error, fields) => logger.error({ ...fields, err: error }, event),
    flush,
  };
}

/**
 * Gathers lines. The library's own batches (`minLength`) count the bytes of all that waits with every line that joins:
 * three times the work of the line itself.
 */
class Batch {
  readonly #destination: { write(lines: string): unknown };
  #lines: string[] = [];
  #length = 0;

  constructor(destination: { write(lines: string): unknown }) {
    this.#destination = destination;
  }

  write(line: string): void {
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length >= BATCH_LENGTH) this.flush();
  }

  flush(): void {
    if (this.#length === 0) return;
    const lines = this.#lines.join("");
    this.#lines = [];
    this.#length = 0;
    this.#destination.write(lines);
  }
}
