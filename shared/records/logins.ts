import type { Item, Key, WriteOp } from "../ports/table.ts";
import { text } from "./attributes.ts";

/** A login through the browser, from the client's request until it has fetched its token. */
export interface Login {
  /** Stands in the page's URL; derived from the secret that the client polls with. */
  readonly code: string;
  /** Name of the client, shown to the person who grants. */
  readonly client: string;
  /** Whose rights the client gets; empty until a person grants. No secret is stored. */
  readonly grantedByTokenId: string;
}

export const loginKey = (code: string): Key => ({ pk: `LOGIN#${code}`, sk: "LOGIN" });

export const createLoginOp = (login: Login, expiresAtSeconds: number): WriteOp => ({
  op: "put",
  item: { key: loginKey(login.code), attributes: { ...login }, expiresAtSeconds },
  conditions: [{ kind: "absent" }],
});

export function toLogin(item: Item): Login {
  return {
    code: text(item, "code"),
    client: text(item, "client"),
    grantedByTokenId: text(item, "grantedByTokenId"),
  };
}

/** Fails when the login is gone or was granted already. */
export const grantLoginOp = (code: string, tokenId: string): WriteOp => ({
  op: "update",
  key: loginKey(code),
  set: { grantedByTokenId: tokenId },
  conditions: [{ kind: "present" }, { kind: "equals", attribute: "grantedByTokenId", value: "" }],
});

/** Fails when another poll took it first. */
export const takeLoginOp = (code: string): WriteOp => ({
  op: "delete",
  key: loginKey(code),
  conditions: [{ kind: "present" }],
});
