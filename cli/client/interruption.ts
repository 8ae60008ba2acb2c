const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * While it lives, Ctrl-C aborts `signal` instead of ending the process, so that the person can be told how to
 * go on. A second Ctrl-C ends the process as usual.
 */
export class Interruption implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #listener = (): void => {
    this.#stopListening();
    this.#controller.abort();
  };

  constructor() {
    for (const name of SIGNALS) process.once(name, this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #stopListening(): void {
    for (const name of SIGNALS) process.removeListener(name, this.#listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening();
  }
}
