import { CliError } from "./failures.ts";
import { printable } from "./text.ts";

/** Somewhere to write text to: a terminal, a pipe, a test. */
export interface TextSink {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Results go to stdout, everything else to stderr, so that `entrepot … | jq` sees results only. */
export class Output {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Print results as the server's JSON. */
  readonly json: boolean;

  constructor(stdout: TextSink, stderr: TextSink, json: boolean) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.json = json;
  }

  /** A result: its JSON, or the words for people, which are made only when they are wanted. */
  result(value: unknown, words: () => string): void {
    const text = this.json ? JSON.stringify(value, undefined, 2) : words();
    if (text !== "") this.stdout.write(`${text}\n`);
  }

  /** Something to know that is no result. */
  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  warn(text: string): void {
    this.note(`Warning: ${text}`);
  }

  failure(error: CliError): void {
    const { message, hint, exitCode, problem } = error;
    if (this.json) {
      this.note(JSON.stringify({ error: { message, hint, exitCode, ...problem } }, undefined, 2));
      return;
    }
    this.note(`Error: ${message.split("\n").map(printable).join("\n")}`);
    if (hint !== undefined) this.note(hint);
  }
}
