import pino from "pino";
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
export async function createLogger(config: Pick<ServeConfig, "log" | "logLevel">): Promise<Logger> {
  const readable = config.log === "pretty" || (config.log === "auto" && process.stderr.isTTY);
  const destination = readable
    ? (await import("pino-pretty")).default({
        destination: 2,
        ignore: "pid,hostname",
        singleLine: true,
        translateTime: "SYS:HH:MM:ss.l",
        sync: true,
      })
    : pino.destination({ dest: 2, sync: false });
  // Whoever read the log has gone; the registry goes on without one.
  destination.on("error", () => {});
  // Readable lines are for one person, who sees each of them at once.
  const batch = readable ? undefined : new Batch(destination);
  const logger = pino(
    {
      level: config.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    batch ?? destination,
  );
  const flush = (): void => {
    batch?.flush();
    try {
      if ("flushSync" in destination) destination.flushSync();
    } catch {
      // As above.
    }
  };
  if (batch !== undefined) setInterval(() => batch.flush(), FLUSH_MS).unref();
  return {
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, error, fields) => logger.error({ ...fields, err: error }, event),
    flush,
  };
}

/**
 * Gathers lines, as bytes: the text of a line is a tree of the pieces that it was made of, two kilobytes of them, and
 * 250 lines that wait are most of what outlives the collections of new objects in a busy server. The library's own
 * batches (`minLength`) count the bytes of all that waits with every line that joins: three times the work of the line
 * itself.
 */
class Batch {
  readonly #destination: { write(lines: string): unknown };
  readonly #bytes = Buffer.allocUnsafeSlow(BATCH_LENGTH);
  #length = 0;

  constructor(destination: { write(lines: string): unknown }) {
    this.#destination = destination;
  }

  write(line: string): void {
    // A character takes at most three bytes.
    if (line.length * 3 > BATCH_LENGTH - this.#length) this.flush();
    if (line.length * 3 > BATCH_LENGTH) this.#destination.write(line);
    else this.#length += this.#bytes.write(line, this.#length);
  }

  flush(): void {
    if (this.#length === 0) return;
    const lines = this.#bytes.toString("utf8", 0, this.#length);
    this.#length = 0;
    this.#destination.write(lines);
  }
}
