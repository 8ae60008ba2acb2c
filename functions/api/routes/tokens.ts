import { createRoute } from "@hono/zod-openapi";
import { UnauthenticatedError } from "../../../shared/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import { renderPage, renderRights, renderToken } from "../render.ts";
import { closed, pageOf, pageQuery, present } from "../schema/common.ts";
import { createdToken, newToken, tokenIdParam, tokenView, whoami } from "../schema/tokens.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { body, CHANGE_PROBLEMS, created, json, noContent, READ_PROBLEMS } from "./responses.ts";

const tags = ["Tokens"];

const list = createRoute({
  method: "get",
  path: "/tokens",
  operationId: "listTokens",
  summary: "Your tokens, newest first; everybody's for an administrator (scope `tokens:read`)",
  tags,
  request: { query: pageQuery },
  responses: { 200: json("A page of tokens.", pageOf(tokenView)), ...READ_PROBLEMS },
});

const create = createRoute({
  method: "post",
  path: "/tokens",
  operationId: "createToken",
  summary: "Create a token that can do no more than yours (scope `tokens:write`)",
  tags,
  request: { body: body(newToken) },
  responses: {
    201: created("The token, with its text: this once.", createdToken),
    ...CHANGE_PROBLEMS,
  },
});

const remove = createRoute({
  method: "delete",
  path: "/tokens/{id}",
  operationId: "revokeToken",
  summary: "Revoke a token: your own one, or with the scope `tokens:delete` others of yours",
  tags,
  request: { params: closed({ id: tokenIdParam }) },
  responses: { 204: noContent("It is good for nothing any more."), ...CHANGE_PROBLEMS },
});

const self = createRoute({
  method: "get",
  path: "/whoami",
  operationId: "whoami",
  summary: "What the token of this request may do",
  tags,
  responses: { 200: json("Your rights.", whoami), ...READ_PROBLEMS },
});

/** `/tokens` and `/whoami`. */
export function createTokenRoutes(services: Services): ApiRouter {
  const { tokens } = services;
  return createRouter()
    .openapi(list, async (c) => {
      const page = await tokens.list(c.get("caller"), present(c.req.valid("query")));
      return c.json(renderPage(page, renderToken), 200);
    })
    .openapi(create, async (c) => {
      const { expiresAt, ...input } = present(c.req.valid("json"));
      const { token, text } = await tokens.create(c.get("caller"), {
        ...input,
        scopes: [...new Set(input.scopes)],
        expiresAtMs: expiresAt === undefined ? 0 : Date.parse(expiresAt),
      });
      // The answer holds a secret: no cache on the way may keep it.
      const headers = { location: `/api/v1/tokens/${token.id}`, "cache-control": "no-store" };
      return c.json({ ...renderToken(token), token: text }, 201, headers);
    })
    .openapi(remove, async (c) => {
      await tokens.revoke(c.get("caller"), c.req.valid("param").id);
      return c.body(null, 204);
    })
    .openapi(self, async (c) => {
      const { principal } = c.get("caller");
      if (principal.kind === "anonymous") throw new UnauthenticatedError();
      return c.json(
        { kind: principal.kind, tokenId: principal.tokenId, ...renderRights(principal) },
        200,
      );
    });
}
