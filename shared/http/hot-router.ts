import type { Result, Router } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { TrieRouter } from "hono/router/trie-router";

/**
 * Hono's fast router finds a route with one regular expression, in a twentieth of the time of its general one (0.1
 * instead of 2 µs), but takes no tables in which a fixed segment stands beside a parameter, as npm's and PyPI's do.
 * So it gets only the GET routes that nearly all requests are for; what it does not find, the general one looks for.
 */
export class HotRouter<T> implements Router<T> {
  readonly name = "HotRouter";
  readonly #hot = new RegExpRouter<T>();
  readonly #all = new TrieRouter<T>();
  readonly #paths: readonly string[];
  /** Handlers of every path; what has only them was not found. */
  #middlewareCount = 0;

  /** `paths`: as they are given to `get`. Of what they match nothing may be answered by a route that stands before. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  add(method: string, path: string, handler: T): void {
    this.#all.add(method, path, handler);
    const isMiddleware = path === "/*";
    if (isMiddleware) this.#middlewareCount++;
    if (isMiddleware || (method === "GET" && this.#paths.includes(path))) {
      this.#hot.add(method, path, handler);
    }
  }

  match(method: string, path: string): Result<T> {
    if (method !== "GET") return this.#all.match(method, path);
    const found = this.#hot.match(method, path);
    return found[0].length > this.#middlewareCount ? found : this.#all.match(method, path);
  }
}
