import { createHash } from "node:crypto";
import { ForbiddenError, NotFoundError } from "../errors.ts";
import { randomText } from "../domain/identifiers.ts";
import type { Caller } from "../domain/principal.ts";
import { ConditionFailedError } from "../ports/table.ts";
import {
  createLoginOp,
  grantLoginOp,
  type Login,
  loginKey,
  takeLoginOp,
  toLogin,
} from "../records/logins.ts";
import type { Stores } from "./stores.ts";
import type { CreatedToken, Tokens } from "./tokens.ts";

const LOGIN_SECONDS = 600;

/** The code of the page follows from the secret of the poll, never the other way round. */
const codeOf = (secret: string): string =>
  createHash("sha256").update(secret).digest("base64url").slice(0, 24);

/** Logins of command-line clients that a person grants in the browser. */
export class Logins {
  readonly #stores: Stores;
  readonly #tokens: Tokens;

  constructor(stores: Stores, tokens: Tokens) {
    this.#stores = stores;
    this.#tokens = tokens;
  }

  /** `secret` is for the client's poll only, `code` for the page's URL. */
  async begin(client: string): Promise<{ readonly secret: string; readonly code: string }> {
    const secret = randomText(32);
    const code = codeOf(secret);
    const expiresAtSeconds = Math.floor(this.#stores.now() / 1000) + LOGIN_SECONDS;
    const login: Login = { code, client: client.slice(0, 100), grantedByTokenId: "" };
    await this.#stores.table.write([createLoginOp(login, expiresAtSeconds)]);
    return { secret, code };
  }

  /** The login behind a page's code. @throws {NotFoundError} when it expired or was fetched. */
  async get(code: string): Promise<Login> {
    const item = await this.#stores.table.get(loginKey(code));
    if (item === undefined) throw new NotFoundError("login", code);
    return toLogin(item);
  }

  /** Gives the client the caller's rights. @throws {NotFoundError} when it is over or was granted already. */
  async grant(caller: Caller, code: string): Promise<void> {
    if (caller.principal.kind === "anonymous") throw new ForbiddenError("Log in with a token.");
    try {
      await this.#stores.table.write([grantLoginOp(code, caller.principal.tokenId)]);
    } catch (error) {
      if (error instanceof ConditionFailedError) throw new NotFoundError("login", code);
      throw error;
    }
  }

  /** A session token once it was granted, one time only; `undefined` while it is pending. @throws {NotFoundError} */
  async poll(caller: Caller, secret: string): Promise<CreatedToken | undefined> {
    const login = await this.get(codeOf(secret));
    if (login.grantedByTokenId === "") return undefined;
    const principal = await this.#tokens.findPrincipal(login.grantedByTokenId);
    try {
      await this.#stores.table.write([takeLoginOp(login.code)]);
    } catch (error) {
      if (error instanceof ConditionFailedError) throw new NotFoundError("login", login.code);
      throw error;
    }
    if (principal === undefined) throw new NotFoundError("login", login.code);
    return this.#tokens.createSession({ ...caller, principal }, login.client);
  }
}
