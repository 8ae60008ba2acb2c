import type * as z from "zod";
import { problem } from "../schema/common.ts";

/** A documented answer with a JSON body. */
export const json = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { "application/json": { schema } },
});

/** As {@link json}, for a 201 that says where the new thing is. */
export const created = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  ...json(description, schema),
  headers: {
    Location: { description: "Path of the new thing.", schema: { type: "string" as const } },
  },
});

export const noContent = (description: string) => ({ description });

/** A required request body in JSON. */
export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true as const,
  content: { "application/json": { schema } },
});

const failure = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problem } },
});

/** Failures of every request. */
export const READ_PROBLEMS = {
  400: failure("The request is not valid; `issues` says where."),
  401: failure("A token is missing, or is not known, expired or revoked."),
  403: failure("The token does not allow this."),
  404: failure("There is no such thing, or the token may not know of it."),
  429: failure("Too many requests; wait for `Retry-After` seconds."),
  503: failure("Storage does not answer; wait for `Retry-After` seconds."),
} as const;

/** Failures of requests that change something. */
export const CHANGE_PROBLEMS = {
  ...READ_PROBLEMS,
  409: failure("The change does not fit what is there, or lost against another."),
  413: failure("The body, or what it announces, is too large."),
} as const;
