import { createRoute } from "@hono/zod-openapi";
import { UnauthenticatedError } from "../../../shared/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import { renderToken } from "../render.ts";
import { present } from "../schema/common.ts";
import { identityHow, identityProof } from "../schema/identity.ts";
import { createdToken } from "../schema/tokens.ts";
import { type ApiRouter, createRouter } from "../validation.ts";
import { body, CHANGE_PROBLEMS, created, json, READ_PROBLEMS } from "./responses.ts";

const tags = ["Tokens"];

const how = createRoute({
  method: "get",
  path: "/identity/aws",
  operationId: "describeAwsIdentity",
  summary: "Where a proof of an IAM role's identity must be made for",
  tags,
  responses: { 200: json("How to make a proof.", identityHow), ...READ_PROBLEMS },
});

const exchange = createRoute({
  method: "post",
  path: "/identity/aws",
  operationId: "exchangeAwsIdentity",
  summary: "Exchange the identity of an IAM role for a token of one hour (no token needed)",
  tags,
  request: { body: body(identityProof) },
  responses: {
    201: created("The token, with its text: this once.", createdToken),
    ...CHANGE_PROBLEMS,
  },
});

/** `/identity/aws`: what `grantPull` and `grantPublish` of the deployment allow. */
export function createIdentityRoutes(services: Services): ApiRouter {
  const { identityExchange, rateLimits } = services;
  return createRouter()
    .openapi(how, (c) => c.json({ region: identityExchange.region() }, 200))
    .openapi(exchange, async (c) => {
      const { allow, ...proof } = present(c.req.valid("json"));
      const caller = c.get("caller");
      try {
        const { token, text } = await identityExchange.exchange(caller, proof, allow);
        // The answer holds a secret: no cache on the way may keep it.
        const headers = { location: `/api/v1/tokens/${token.id}`, "cache-control": "no-store" };
        return c.json({ ...renderToken(token), token: text }, 201, headers);
      } catch (error) {
        if (error instanceof UnauthenticatedError) {
          await rateLimits.countWrongCredentials(caller.address);
        }
        throw error;
      }
    });
}
